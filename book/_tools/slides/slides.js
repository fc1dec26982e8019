// Typesets, makes every slide fit, and starts reveal.js. Loaded before MathJax, whose settings stand here.
window.MathJax = {
  tex: { inlineMath: [["\\(", "\\)"]], displayMath: [["\\[", "\\]"]] },
  svg: { fontCache: "global" },
  options: { enableMenu: false, ignoreHtmlClass: "notes" },
  startup: { typeset: false },
};

// Sizes of text, in pixels, from which the largest is taken that fits.
const LARGEST = 34;
const WRAPPING = 28; // from here on, long lines of code are broken
const LAST = 12; // rather small than cut off

function overflows(page) {
  const boxes = [page, page.querySelector(".body"), ...page.querySelectorAll("pre")];
  return boxes.some(
    (box) => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1,
  );
}

// A formula that is wider than its line is made smaller.
function narrow(formula) {
  formula.style.fontSize = "";
  const width = formula.querySelector("svg")?.getBoundingClientRect().width ?? 0;
  if (width > formula.clientWidth) {
    formula.style.fontSize = `${Math.floor((100 * formula.clientWidth) / width)}%`;
  }
}

// A heading has one line if that can be.
function shorten(heading) {
  for (let size = 36; size >= 28 && heading.clientHeight > 70; size -= 1) {
    heading.style.fontSize = `${size}px`;
  }
}

function fit(page) {
  page.querySelectorAll("h2").forEach(shorten);
  const formulas = page.querySelectorAll(".tex");
  const largest = page.querySelector(".picture") ? WRAPPING : LARGEST; // room is for the picture
  for (let size = largest; size >= LAST; size -= 1) {
    page.style.setProperty("--size", `${size}px`);
    page.classList.toggle("wrapping", size <= WRAPPING);
    formulas.forEach(narrow);
    if (!overflows(page)) return;
  }
}

// The window of the speaker knows nothing of MathJax: its formulas become MathML, which browsers show themselves.
function notesAsMathML() {
  for (const formula of document.querySelectorAll(".notes .math")) {
    const [, tex] = formula.textContent.match(/^\\[([](.*)\\[)\]]$/s);
    formula.innerHTML = MathJax.tex2mml(tex, { display: formula.classList.contains("tex") });
  }
}

async function prepare(reveal) {
  await window.MathJax.startup.promise;
  await MathJax.typesetPromise();
  notesAsMathML();
  await document.fonts.ready;
  reveal.classList.replace("waiting", "measured");
  document.querySelectorAll(".page").forEach(fit);
  reveal.classList.remove("measured");
}

function changeTheme() {
  const dark = getComputedStyle(document.documentElement).getPropertyValue("--dark").trim() === "1";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
}

// After a move with the mouse, the keys belong to the slides again; Escape gives them back after moves with the keys.
function releaseSliders() {
  for (const slider of document.querySelectorAll("input[type=range]")) {
    slider.addEventListener("pointerup", () => slider.blur());
    slider.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        slider.blur();
        event.stopPropagation();
      }
    });
  }
}

document.addEventListener("DOMContentLoaded", async () => {
  const element = document.querySelector(".reveal");
  await prepare(element).catch((error) => console.error(error));
  element.classList.remove("waiting", "measured");
  releaseSliders();
  await Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    hash: true,
    navigationMode: "linear",
    slideNumber: "c/t",
    transition: "none",
    plugins: [RevealNotes],
  });
  Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, changeTheme);
  element.classList.add("ready"); // the tests wait for this
});
