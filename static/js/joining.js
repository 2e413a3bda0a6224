// Tells a form of a new person where they are, so that times are right from the first mail on.
for (const field of document.querySelectorAll("[data-time-zone]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
