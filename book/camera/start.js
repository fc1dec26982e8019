// A page that is opened as a file may not read other files, so it says what to do instead.
document.addEventListener("DOMContentLoaded", () => {
  const root = document.getElementById("ddgp-camera");
  if (location.protocol === "file:") {
    root.querySelector("[data-as-file]").hidden = false;
  } else {
    import("./page.js").then(({open}) => open(root));
  }
});
