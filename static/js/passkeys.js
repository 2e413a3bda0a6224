// A cancelled or missing key is said on the page, not in the console.
document.addEventListener("allauth.error", (e) => {
  e.preventDefault();
  const note = document.getElementById("key-failed");
  if (note) note.hidden = false;
});
