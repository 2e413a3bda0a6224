// Small behaviours only; every page works without this file.
(() => {
  const doc = document.documentElement;
  const $ = (s, r = document) => r.querySelector(s);
  const $$ = (s, r = document) => r.querySelectorAll(s);
  const say = document.body.dataset;

  document.addEventListener("click", (e) => {
    const on = (s) => e.target.closest?.(s);

    // Theme: remembered in a cookie so the server can render it next time.
    if (on("[data-theme-toggle]")) {
      e.preventDefault();
      const dark = doc.dataset.theme ? doc.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      doc.dataset.theme = dark ? "light" : "dark";
      document.cookie = `theme=${doc.dataset.theme};path=/;max-age=31536000;samesite=lax`;
    }

    // Dialogs: <a href="/the/page/" data-dialog="id">; the page itself is the way without this file.
    const opener = on("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog) { e.preventDefault(); dialog.showModal(); }
    if (on("[data-close]")) on("dialog")?.close();
    if (e.target.matches?.("dialog")) e.target.close();

    if (on("[data-dismiss]")) on("[data-toast]")?.remove();

    // A link of the error summary shows the label, then focuses the field.
    const field = on(".errors a[href^='#']") && document.getElementById(on("a").hash.slice(1));
    if (field) {
      e.preventDefault();
      (field.closest("fieldset") || $(`label[for="${CSS.escape(field.id)}"]`) || field).scrollIntoView({ block: "center" });
      field.focus({ preventScroll: true });
    }
  });

  // Counters: announced politely, and only near the end.
  const count = (box) => {
    const out = document.getElementById(`${box.id}_count`);
    const left = box.dataset.max - box.value.replace(/\r\n?/g, "\n").length;
    if (!out) return;
    out.textContent = (left < 0 ? say.over : say.left).replace("{n}", Math.abs(left).toLocaleString(doc.lang));
    out.classList.toggle("is-over", left < 0);
    out.ariaLive = left < box.dataset.max / 10 ? "polite" : "off";
  };
  document.addEventListener("input", (e) => { if (e.target.dataset?.max) count(e.target); });

  // Toasts leave after 8 s unless someone is reading them; Escape clears them at once.
  const leave = (t) => {
    let id;
    const go = () => { id = setTimeout(() => t.remove(), 8000); };
    const stay = () => clearTimeout(id);
    t.addEventListener("pointerenter", stay); t.addEventListener("pointerleave", go);
    t.addEventListener("focusin", stay); t.addEventListener("focusout", go);
    go();
  };
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") $$("[data-toast]").forEach((t) => t.remove()); });

  // Once per page, and again for every part htmx brings.
  const ready = (root) => {
    $$("textarea[data-max]", root).forEach(count);
    $$("[data-toast]:not([data-seen])", root).forEach((t) => { t.dataset.seen = 1; leave(t); });
    const focus = root.matches?.("[data-focus]") ? root : $("[data-focus]", root);
    focus?.focus();
  };
  ready(document);
  document.addEventListener("htmx:load", (e) => { if (e.detail.elt !== document.body) ready(e.detail.elt); });

  // The filter sheet of phones closes when its results are asked for.
  document.addEventListener("submit", (e) => { if (e.target.matches(":popover-open")) e.target.hidePopover(); });

  // Plain forms: no second click while the first is on its way (the server refuses it anyway).
  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (e.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) e.preventDefault();
    form.dataset.sent = 1;
    form.classList.add("htmx-request");
  });
  addEventListener("pageshow", () => $$("form[data-sent]").forEach((f) => { delete f.dataset.sent; f.classList.remove("htmx-request"); }));

  // What leaves with the form itself is not also kept: the later of the two would win.
  document.addEventListener("htmx:beforeRequest", (e) => { if (e.target.dataset?.sent) e.preventDefault(); });

  // htmx could not send: say so where the person is looking, keep what they typed.
  const failed = (e) => {
    const form = e.target.closest?.("form");
    if (!form || form.method !== "post") return;
    let note = $(".notsent", form);
    if (!note) {
      note = document.createElement("p");
      note.className = "field__error notsent";
      note.role = "alert";
      form.append(note);
    }
    note.textContent = navigator.onLine ? say.notSent : say.offline;
  };
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) document.addEventListener(name, failed);
  document.addEventListener("htmx:beforeRequest", (e) => e.target.closest?.("form")?.querySelector(".notsent")?.remove());
  document.addEventListener("htmx:xhr:progress", (e) => {
    const bar = $("progress", e.target);
    if (!bar || !e.detail.lengthComputable) return;
    bar.hidden = false; bar.max = e.detail.total; bar.value = e.detail.loaded;
  });

  // News from the live process become events that parts of the page wait for: hx-trigger="live:messages from:body".
  if (say.live) {
    new EventSource(say.live, { withCredentials: true })
      .addEventListener("changed", (e) => document.body.dispatchEvent(new CustomEvent(`live:${e.data}`)));
  }

  if ("serviceWorker" in navigator && say.worker) navigator.serviceWorker.register(say.worker).catch(() => {});
})();
