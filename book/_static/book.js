// A wide table or drawing scrolls; who has no mouse reaches it with the tabulator and scrolls with the arrow keys.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".pst-scrollable-table-container, .ddgp-table-frame, .ddgp-drawing")) {
    table.tabIndex = 0;
    table.setAttribute("role", "region");
    table.setAttribute("aria-label", table.matches(".ddgp-drawing") ? "Drawing" : "Table");
  }
});

// Entries of a bibliography carry a role that the ARIA standard has withdrawn.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll('[role="doc-biblioentry"]').forEach((entry) => entry.setAttribute("role", "listitem"));
});

// The parts of a page in the sidebar fold behind a mark that has no name.
document.addEventListener("DOMContentLoaded", () => {
  for (const mark of document.querySelectorAll(".has-children > details > summary")) {
    mark.setAttribute("aria-label", "Pages of " + mark.closest("li").querySelector("a").textContent.trim());
  }
});

// The policy of the pages refuses handlers that stand in a button, so the build names what the theme's buttons do.
document.addEventListener("DOMContentLoaded", () => {
  const actions = {"full-screen": () => window.toggleFullScreen(), print: () => window.print()};
  for (const button of document.querySelectorAll("[data-click]")) {
    button.addEventListener("click", actions[button.dataset.click]);
  }
});

// Whoever points at a reference to an equation of the same page sees it, and need not leave the place.
document.addEventListener("DOMContentLoaded", () => {
  let shown = null;
  const hide = () => {
    shown?.remove();
    shown = null;
  };
  const show = (link) => {
    hide();
    const equation = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!equation?.matches(".math")) return;
    shown = equation.cloneNode(true);
    shown.removeAttribute("id");
    shown.className = "ddgp-preview";
    shown.setAttribute("aria-hidden", "true");
    shown.querySelectorAll("[id]").forEach((part) => part.removeAttribute("id"));
    document.body.append(shown);
    const place = link.getBoundingClientRect();
    shown.style.top = `${Math.max(8, place.top - shown.offsetHeight - 8)}px`;
    shown.style.left = `${Math.max(8, Math.min(place.left, innerWidth - shown.offsetWidth - 16))}px`;
  };
  for (const link of document.querySelectorAll('.bd-article a.reference.internal[href^="#"]')) {
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => show(link));
    for (const event of ["mouseleave", "blur"]) link.addEventListener(event, hide);
  }
  document.addEventListener("scroll", hide, {passive: true});
});

// Where a chapter leads to the page with a camera, a reader can run the same on the spot; a file may not load it.
document.addEventListener("DOMContentLoaded", () => {
  const links = document.querySelectorAll('.bd-article p a[href^="camera.html#"]');
  if (links.length > 0 && location.protocol !== "file:") {
    import("../camera/piece.js").then(({open}) => links.forEach((link) => open(link)));
  }
});
