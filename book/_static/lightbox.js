// A light box: a picture of a figure opens as large as the window lets it. A click or a tap on the picture opens it, or
// the button in its corner, which the tabulator reaches. Arrow keys go to the other pictures of the page; Escape or a
// click closes, and the focus returns to where it was.
document.addEventListener("DOMContentLoaded", () => {
  const PICTURES = ".bd-article :is(figure, .cell_output) img:not(:is(a, button, .ddgp-control, .ddgp-wipe) img)";
  const found = [...document.querySelectorAll(PICTURES)];
  if (!found.length || !window.HTMLDialogElement) return;

  const make = (tag, name, text, label) => {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    if (label) element.setAttribute("aria-label", label);
    if (tag === "button") element.type = "button";
    return element;
  };
  const box = make("dialog", "ddgp-lightbox", "", "Enlarged picture");
  const bar = make("div", "ddgp-lightbox-bar", "");
  const before = make("button", "", "‹", "Previous picture");
  const count = make("span", "", "");
  const after = make("button", "", "›", "Next picture");
  const close = make("button", "ddgp-close", "✕", "Close");
  const image = make("img", "dark-light", "");
  const words = make("div", "ddgp-lightbox-caption", "");
  const said = make("p", "ddgp-said", "");
  count.setAttribute("aria-hidden", "true"); // what is said names the place too
  said.setAttribute("role", "status");
  bar.append(before, count, after, close);
  box.append(bar, words, said); // the picture comes with the first one that is shown: an img needs a source
  document.body.append(box);

  let at = 0, opener = null, timer = 0;
  const shown = () => found.filter((picture) => picture.getClientRects().length);
  const captionOf = (picture) => picture.closest("figure")?.querySelector("figcaption");

  const show = (index) => {
    const pictures = shown();
    at = (index + pictures.length) % pictures.length;
    const picture = pictures[at];
    image.src = picture.currentSrc || picture.src;
    image.alt = picture.alt;
    if (!image.isConnected) words.before(image);
    const caption = captionOf(picture)?.cloneNode(true);
    caption?.querySelectorAll("[id], .headerlink").forEach((part) => {
      part.removeAttribute("id");
      if (part.matches(".headerlink")) part.remove();
    });
    words.replaceChildren(...(caption?.childNodes ?? []));
    words.hidden = !caption;
    count.textContent = `${at + 1} / ${pictures.length}`;
    before.hidden = count.hidden = after.hidden = pictures.length < 2;
    clearTimeout(timer);
    timer = setTimeout(() => {
      said.textContent = `Picture ${at + 1} of ${pictures.length}: ${picture.alt}`;
    }, 300);
  };
  const open = (picture, button) => {
    opener = button;
    show(shown().indexOf(picture));
    box.showModal();
    close.focus();
  };

  for (const picture of found) {
    const frame = make("span", "ddgp-picture", "");
    const name = captionOf(picture)?.querySelector(".caption-number")?.textContent.trim();
    const button = make("button", "ddgp-enlarge", "⤢", `Enlarge ${name || "the picture"}`);
    button.setAttribute("aria-haspopup", "dialog");
    picture.replaceWith(frame);
    frame.append(picture, button);
    frame.addEventListener("click", () => open(picture, button));
  }

  before.addEventListener("click", () => show(at - 1));
  after.addEventListener("click", () => show(at + 1));
  box.addEventListener("click", (event) => {
    if (![before, after].includes(event.target)) box.close();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Tab") { // from the last control to the first, and not out of the box
      const controls = [before, after, close].filter((control) => control.getClientRects().length);
      const next = controls.indexOf(document.activeElement) + (event.shiftKey ? -1 : 1);
      event.preventDefault();
      controls[(next + controls.length) % controls.length].focus();
      return;
    }
    const step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(at + step);
  });
  box.addEventListener("close", () => {
    clearTimeout(timer);
    said.textContent = "";
    opener?.focus({preventScroll: true});
  });
});
