// Pages are never kept: they may be private, and an old amount is a wrong amount.
const SHELL = [{% for url in shell %}"{{ url|escapejs }}", {% endfor %}];
const OFFLINE = "{{ offline|escapejs }}";
const CACHE = "shell-1";

addEventListener("install", (e) => {
  // Without cookies, so that the kept page knows nobody.
  const wanted = [...SHELL, OFFLINE].map((url) => new Request(url, { credentials: "omit", cache: "reload" }));
  e.waitUntil(caches.delete(CACHE).then(() => caches.open(CACHE)).then((c) => c.addAll(wanted)).then(() => skipWaiting()));
});

addEventListener("fetch", (e) => {
  const { request } = e;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    e.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (SHELL.includes(new URL(request.url).pathname)) {
    e.respondWith(fetch(request).catch(() => caches.match(request)));
  }
});
