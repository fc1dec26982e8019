// A small piece of the page in a chapter: what a link to the page asks for runs where the link stands.

import {paint} from "./pictures.js";
import {plot} from "./plots.js";
import {Runner, SIDES, requestOf, tablesAndDigits} from "./runs.js";
import {fromAddress, unpacked} from "./state.js";

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const CURVES = {psnr: "PSNR (dB)", range: "Seen error", null: "Unseen error"};
const MEGABYTES = 15.7;

let files = null;
let owner = null;
const runner = new Runner((data) => owner.hear(data));

const figure = (what, role, caption) =>
  `<figure><${what} ${role} role="img"></${what}><figcaption>${caption}</figcaption></figure>`;

/** Build a piece after the paragraph of a link, for the cameras whose images are digits. */
export function open(link) {
  const state = fromAddress(link.hash);
  if (state.camera !== "mri") link.closest("p").after(new Piece(state, link.textContent).root);
}

class Piece {
  constructor(state, title) {
    Object.assign(this, {state, title: title.replace(/\s+/g, " "), history: {without: [], with: []}});
    this.root = document.createElement("div");
    this.root.className = "ddgp-piece";
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", `Camera: ${this.title}`);
    this.root.innerHTML =
      '<p><button type="button">Run it here</button> <span role="status"></span></p><div hidden><div class="ddgp-row">' +
      figure("canvas", "data-truth", "Truth") +
      SIDES.map((side) => figure("canvas", `data-picture="${side}"`, `<i class="${side}"></i><span></span>`)).join("") +
      '</div><div class="ddgp-row">' +
      Object.entries(CURVES).map(([name, text]) => figure("svg", `data-plot="${name}"`, text)).join("") +
      "</div><label>Iteration <span data-at></span><input type=\"range\" min=\"0\"></label></div>";
    this.find = (selector) => this.root.querySelector(selector);
    this.find("button").addEventListener("click", () => (this.going ? this.#end("Stopped.") : this.#start()));
    this.find("input").addEventListener("input", (event) => this.#show(Number(event.target.value)));
    this.#say(`It loads ${MEGABYTES} MB, once.`);
  }

  get going() {
    return owner === this && runner.running;
  }

  #say(text) {
    this.find("[role=status]").textContent = text;
  }

  async #start() {
    if (owner !== null && owner.going) owner.#end("Stopped.");
    owner = this;
    this.history = {without: [], with: []};
    this.#say("Loading the networks.");
    try {
      files ??= tablesAndDigits();
      const [tables, digits] = await files;
      if (owner !== this) return;
      const {image, drawing} = this.state;
      const index = Number(image) < tables.digits ? Number(image) : 0;
      const truth = image === "drawing" ? unpacked(drawing) : digits.slice(1024 * index, 1024 * (index + 1));
      runner.start(requestOf(this.state, tables, truth));
      paint(this.find("[data-truth]"), truth);
      this.find("[data-truth]").setAttribute("aria-label", image === "drawing" ? "A drawing" : `Digit ${index + 1}`);
    } catch (error) {
      files = null;
      return this.#end(`It did not work: ${error.message}`);
    }
    this.find("button").textContent = "Stop";
    this.find("div").hidden = false;
    this.find("input").max = this.state.iterations;
    this.#show(0);
  }

  /** What the worker says. */
  hear(data) {
    if (data.type === "measured") this.#say("Running.");
    if (data.type === "error") this.#end(`It did not work: ${data.text}`);
    if (data.type === "end") this.#end("");
    if (data.type !== "step") return;
    this.history[data.side][data.k] = data;
    if (this.waiting || (STILL.matches && data.k > 0)) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      if (this.going) this.#show(Infinity);
    });
  }

  #end(text) {
    if (this.going) runner.stop();
    this.find("button").textContent = "Run it again";
    if (this.history.with.length > 0) this.#show(Infinity);
    const texts = SIDES.map((side) => this.find(`[data-picture=${side}] ~ figcaption span`).textContent);
    this.#say(text || `${texts[0]}; ${texts[1].replace("W", "w")}, after ${this.find("[data-at]").textContent} iterations.`);
  }

  /** Show iteration k, or the last one. */
  #show(k) {
    const at = Math.min(k, Math.max(0, ...SIDES.map((side) => this.history[side].length - 1)));
    this.find("input").value = at;
    this.find("[data-at]").textContent = at;
    for (const side of SIDES) {
      const entry = this.history[side][Math.min(at, this.history[side].length - 1)];
      const canvas = this.find(`[data-picture=${side}]`);
      paint(canvas, entry?.picture ?? new Float32Array(4));
      const lost = entry && this.history[side].length - 1 < at ? " (diverged)" : "";
      const text = `${side === "with" ? "With P" : "Without P"}: ${entry ? entry.judged.psnr.toFixed(2) : "–"} dB${lost}`;
      canvas.nextSibling.querySelector("span").textContent = text;
      canvas.setAttribute("aria-label", `${text}, iteration ${at}`);
    }
    for (const name of Object.keys(CURVES)) {
      const values = SIDES.map((side) => this.history[side].map(({judged}) => judged[name]));
      const svg = this.find(`[data-plot=${name}]`);
      const curves = Object.fromEntries(SIDES.map((side, i) => [side, values[i]]));
      plot(svg, curves, this.state.iterations, at, name !== "psnr");
      const now = values.map((one) => one[Math.min(at, one.length - 1)]?.toPrecision(3) ?? "–");
      svg.setAttribute("aria-label", `${CURVES[name]} at iteration ${at}: ${now[0]} without P, ${now[1]} with it`);
    }
  }
}
