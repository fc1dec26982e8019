// The page: what a reader chooses, what the worker computes, and how it is shown.

import {Columns, Pad, enlarged, paint} from "./pictures.js";
import {plot, written} from "./plots.js";
import {Runner, SIDES, bothSettings, columnsOf, fetched, requestOf, tablesAndDigits} from "./runs.js";
import {DRAWING, TUNED, fromAddress, packed, packedColumns, toAddress, unpacked} from "./state.js";
import {magnitude} from "./vectors.js";

const MEASURES = ["psnr", "residual", "range", "null"];
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** Build the page around its root, once its tables and digits are there. */
export async function open(root) {
  try {
    root.camera = new CameraPage(root, ...(await tablesAndDigits()));
  } catch (error) {
    root.querySelector("[data-status]").textContent = `The page could not be set up: ${error.message}`;
  }
}

/** Choose an entry of a list, which gets one for a value that an address asks for and it has not. */
function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.add(new Option(value, value));
  select.value = value;
}

class CameraPage {
  constructor(root, tables, digits) {
    Object.assign(this, {root, tables, digits, slices: null});
    this.runner = new Runner((data) => this.#hear(data));
    this.find = (selector) => root.querySelector(selector);
    this.inputs = [...root.querySelectorAll("[name]")];
    this.pad = new Pad(this.find("[data-pad]"), (image, done) => this.#drawn(image, done), (text) => this.#say(text));
    this.columns = new Columns(this.find("[data-columns]"), (columns, at) => this.#toggled(columns, at));
    this.#listen();
    this.#take(fromAddress(location.hash));
    this.find("[data-controls]").disabled = false;
    root.dataset.ready = "";
  }

  #listen() {
    for (const input of this.inputs) {
      input.addEventListener("input", () => this.#chosen(input));
    }
    const click = (name, act) => this.find(`[data-${name}]`).addEventListener("click", act);
    click("start", () => this.start());
    click("stop", () => this.stop("Stopped"));
    click("clear", () => this.#drawn(new Float32Array(DRAWING ** 2), true));
    click("again", () => this.#set({seed: this.state.seed + 1}));
    click("tuned", () => this.#set(TUNED));
    click("save", () => this.#save());
    this.find("[data-at]").addEventListener("input", (event) => this.#show(Number(event.target.value)));
    this.pad.canvas.addEventListener("blur", () => this.pad.show(this.pad.image, this.pad.drawn));
    addEventListener("hashchange", () => {
      if (location.hash !== this.address) this.#take(fromAddress(location.hash));
    });
  }

  /** Take over all choices, from the address or another source. */
  #take(state) {
    this.stop();
    this.state = {...state, image: this.#known(state)};
    for (const input of this.inputs) {
      const value = this.state[input.name];
      if (input.type === "checkbox") input.checked = value;
      else if (input.type === "range") input.value = String(value);
      else choose(input, String(value));
    }
    this.#refresh();
  }

  /** Return the picture of a choice: the first one where the camera has no such picture. */
  #known({camera, image}) {
    const count = camera === "mri" ? this.tables.slices : this.tables.digits;
    return image === "drawing" || (/^\d+$/.test(image) && Number(image) < count) ? image : "0";
  }

  #set(changes) {
    this.#take({...this.state, ...changes});
  }

  /** A control was used. */
  #chosen(input) {
    const number = typeof this.state[input.name] === "number";
    const value = input.type === "checkbox" ? input.checked : number ? Number(input.value) : input.value;
    const changes = {[input.name]: value};
    if (input.name === "camera") Object.assign(changes, {columns: "", iterations: value === "mri" ? 10 : 20});
    if (input.name === "acceleration") changes.columns = "";
    this.#set(changes);
    input.focus();
  }

  #drawn(image, done) {
    if (done) this.#set({image: "drawing", drawing: packed(image)});
  }

  #toggled(columns, at) {
    this.#set({columns: packedColumns(columns)});
    const kept = columns[at] ? "measured" : "not measured";
    this.#say(`Column ${at} is ${kept}; ${columns.filter(Boolean).length} of ${columns.length} columns are measured.`);
  }

  get mri() {
    return this.state.camera === "mri";
  }

  get card() {
    return this.tables.cards[this.state.camera];
  }

  /** The columns of k-space that are measured. */
  get chosenColumns() {
    return columnsOf(this.state, this.tables);
  }

  /** Return the image that is measured, in the camera's channels; null until slices are fetched. */
  truth() {
    const drawn = this.state.image === "drawing";
    if (!this.mri) {
      if (drawn) return unpacked(this.state.drawing);
      const index = Number(this.state.image);
      return this.digits.slice(index * 1024, (index + 1) * 1024);
    }
    const pixels = this.tables.columns.length ** 2;
    if (drawn) {
      const image = new Float32Array(2 * pixels);
      image.set(enlarged(unpacked(this.state.drawing), DRAWING, this.tables.columns.length / DRAWING));
      return image;
    }
    const index = Number(this.state.image);
    return this.slices?.slice(index * 2 * pixels, (index + 1) * 2 * pixels) ?? null;
  }

  async #fetchSlices() {
    const bytes = await (await fetched("slices.bin")).arrayBuffer();
    const integers = new DataView(bytes);
    const {scale} = this.tables;
    this.slices = Float32Array.from({length: bytes.byteLength / 2}, (_, i) => integers.getInt16(2 * i, true) / scale);
    this.#refresh();
  }

  /** Show the choices: which controls there are, the image, the columns, the address. */
  #refresh() {
    const {state} = this;
    this.root.dataset.camera = state.camera;
    for (const part of this.root.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(state.camera);
    this.#listImages();
    for (const output of this.root.querySelectorAll("output[data-of]")) this.#tell(output);
    if (this.mri && this.slices === null) this.#fetchSlices().catch((error) => this.#say(error.message));
    const truth = this.truth();
    const seen = truth === null ? new Float32Array(DRAWING ** 2) : magnitude(truth, this.mri ? 2 : 1);
    paint(this.find("[data-truth]"), seen);
    const drawn = state.image === "drawing";
    this.pad.show(drawn ? unpacked(state.drawing) : seen, drawn);
    this.columns.show(this.chosenColumns);
    this.find("[data-clear]").disabled = !drawn;
    this.#describe();
    this.#write();
    this.#forget();
  }

  /** Say in words what is chosen, with a link to it, and name the picture for those who do not see it. */
  #describe() {
    const {state} = this;
    const chosen = (name) => this.find(`[name=${name}]`).selectedOptions[0].text;
    const told = (name) => this.find(`[data-of=${name}]`).textContent;
    const camera = {
      single_pixel: () => `${told("ratio")} in ${chosen("ordering")} order`,
      blur: () => `a blur of ${told("std")}`,
      mri: () => told("acceleration"),
    };
    const tuned = Object.entries(TUNED).every(([name, value]) => state[name] === value);
    this.find("[data-described]").textContent =
      `${chosen("image")}; ${chosen("camera").split(",")[0]}, ${camera[state.camera]()}; noise ${told("noise")}; ` +
      `solvers ${tuned ? "as tuned" : "not as tuned"}, ${state.iterations} iterations.`;
    this.find("[data-link]").href = toAddress(state);
    this.find("[data-truth]").setAttribute("aria-label", `The image that is measured: ${chosen("image").toLowerCase()}`);
  }

  /** Write the choices into the address, once they have rested: browsers limit how often that may be done. */
  #write() {
    this.address = toAddress(this.state);
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      if (location.hash !== this.address && (location.hash || this.address !== "#")) {
        history.replaceState(null, "", this.address);
      }
    }, 200);
  }

  /** The pictures to choose from depend on the camera. */
  #listImages() {
    const select = this.find("[name=image]");
    const [word, count] = this.mri ? ["Slice", this.tables.slices] : ["Digit", this.tables.digits];
    const names = [...Array.from({length: count}, (_, i) => [String(i), `${word} ${i + 1}`]), ["drawing", "Your drawing"]];
    select.replaceChildren(...names.map(([value, text]) => new Option(text, value)));
    select.value = this.state.image;
  }

  /** Write beside a slider what it stands at. */
  #tell(output) {
    const {state, card} = this;
    const patterns = Math.max(1, Math.round(state.ratio * 1024));
    const sigmas = SIDES.map((side) => written(this.settings[side].sigma));
    const texts = {
      ratio: `${patterns} of 1,024 patterns`,
      acceleration: `${this.chosenColumns.filter(Boolean).length} of 128 columns`,
      std: `${written(state.std)} ${state.std === 1 ? "pixel" : "pixels"}; 256 measurements`,
      noise: written(state.noise),
      sigma: `× ${written(state.sigma)}: σ = ${sigmas[0]} without P, ${sigmas[1]} with it`,
      step: `${written(state.step)} / ‖A‖²`,
      strength: `× ${written(state.strength)}`,
    };
    output.textContent = card && texts[output.dataset.of];
  }

  get settings() {
    return bothSettings(this.state, this.card);
  }

  /** Empty what a run has shown. */
  #forget() {
    this.history = {without: [], with: []};
    this.finished = false;
    this.times = [];
    this.find("[data-gain]").textContent = "";
    this.find("[data-save]").disabled = true;
    this.find("[data-progress]").value = 0;
    const slider = this.find("[data-at]");
    [slider.max, slider.value, slider.disabled] = [this.state.iterations, 0, true];
    this.#show(0);
  }

  /** Load what is missing, measure, and run both solvers. */
  start() {
    const truth = this.truth();
    if (truth === null) return this.#say("The slices are still on their way.");
    if (!truth.some(Boolean)) return this.#say("The drawing is empty: draw something first.");
    this.stop();
    this.#forget();
    this.#say(this.runner.worker === null ? "Loading the networks." : "Running.");
    this.runner.start(requestOf(this.state, this.tables, truth));
    this.#buttons();
  }

  /** Stop a run, and say why where there is a reason. */
  stop(reason = "") {
    if (!this.runner.running) return;
    this.runner.stop();
    this.#buttons();
    if (reason) this.#say(`${reason} at iteration ${this.last}.`);
    this.#done();
  }

  #buttons() {
    this.find("[data-start]").disabled = this.runner.running;
    this.find("[data-stop]").disabled = !this.runner.running;
    this.find("[data-progress]").hidden = !this.runner.running;
  }

  #hear(data) {
    if (data.type === "loading") return this.#say(`Loading: ${(data.bytes / 1e6).toFixed(1)} MB of networks.`);
    if (data.type === "measured") {
      this.measurements = data.y;
      this.#say("Running.");
    } else if (data.type === "step") {
      this.#step(data);
    } else if (data.type === "end") {
      this.#buttons();
      this.#done();
      this.#say(this.#summary());
    } else if (data.type === "error") {
      this.#buttons();
      this.#done();
      this.#say(`It did not work: ${data.text}`);
    }
  }

  #step({side, k, picture, judged, rejected, milliseconds}) {
    this.history[side][k] = {picture, judged, rejected};
    if (k > 0) this.times.push([side, milliseconds]);
    this.find("[data-progress]").value = k / this.state.iterations;
    if (this.drawing || (STILL.matches && k > 0)) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      if (this.runner.running) this.#show(Infinity);
    });
  }

  /** After a run: the slider goes through its iterations, and the picture can be saved. */
  #done() {
    this.finished = this.history.with.length > 0;
    const slider = this.find("[data-at]");
    slider.disabled = !this.finished;
    this.find("[data-save]").disabled = !this.finished;
    this.#show(Infinity);
    this.find("[data-gain]").textContent = this.finished ? this.#gain() : "";
  }

  /** The last iteration that both sides have. */
  get last() {
    return Math.max(0, Math.min(...SIDES.map((side) => this.history[side].length)) - 1);
  }

  /** Show iteration k, or the last one. */
  #show(k) {
    const longest = Math.max(0, ...SIDES.map((side) => this.history[side].length - 1));
    const at = Math.min(k, longest);
    this.shown = at;
    const slider = this.find("[data-at]");
    slider.value = at;
    slider.setAttribute("aria-valuetext", `iteration ${at}`);
    this.find("[data-iteration]").textContent = at;
    for (const side of SIDES) {
      const entry = this.history[side][Math.min(at, this.history[side].length - 1)];
      const canvas = this.find(`[data-picture=${side}]`);
      paint(canvas, entry?.picture ?? new Float32Array(4));
      const lost = entry && this.history[side].length - 1 < at ? " It has diverged." : "";
      const psnr = entry ? `${entry.judged.psnr.toFixed(2)}\u00a0dB` : "–";
      this.find(`[data-psnr=${side}]`).textContent = psnr + lost + (entry?.rejected ? " (P is given up)" : "");
      canvas.setAttribute("aria-label", `Reconstruction ${side} P at iteration ${at}: ${psnr}.${lost}`);
      for (const measure of MEASURES) {
        this.find(`[data-cell="${measure} ${side}"]`).textContent = entry ? written(entry.judged[measure]) : "–";
      }
    }
    const first = this.history.without[0];
    paint(this.find("[data-picture=adjoint]"), first?.picture ?? new Float32Array(4));
    for (const measure of MEASURES) this.#plot(measure);
  }

  #plot(measure) {
    const curves = Object.fromEntries(SIDES.map((side) => [side, this.history[side].map(({judged}) => judged[measure])]));
    plot(this.find(`[data-plot=${measure}]`), curves, this.state.iterations, this.shown, measure !== "psnr");
  }

  /** One sentence about the end of a run. */
  #summary() {
    const [without, learned] = SIDES.map((side) => this.history[side].at(-1));
    const given = learned.rejected ? " The safeguard has given P up." : "";
    const milliseconds = SIDES.map((side) => this.#median(side).toFixed(1));
    return (
      `Iteration ${this.last}: ${without.judged.psnr.toFixed(2)} dB without P, ` +
      `${learned.judged.psnr.toFixed(2)} dB with it.${given} ` +
      `An iteration took ${milliseconds[0]} ms without and ${milliseconds[1]} ms with P.`
    );
  }

  #median(side) {
    const times = this.times.filter(([one]) => one === side).map(([, time]) => time).sort((a, b) => a - b);
    return times.length ? times[times.length >> 1] : NaN;
  }

  /** What P gained on this image, and what it gains on images of its own kind. */
  #gain() {
    const k = this.last;
    const gain = this.history.with[k].judged.psnr - this.history.without[k].judged.psnr;
    const usual = this.tables.usual[this.state.camera];
    const here = `Here P gains ${gain.toFixed(1)} dB after ${k} iterations.`;
    if (!usual) return `${here} P is Newton’s step, made by hand: nothing was trained for this camera but the denoiser.`;
    const there =
      ` On ${usual.images} held-out ${usual.kind}, with the book's camera and settings, it gains ` +
      `${usual.gain.toFixed(1)} dB after ${usual.iterations}.`;
    const other = " Your drawing is another kind of image than those that both networks were trained on.";
    return here + there + (this.state.image === "drawing" ? other : "");
  }

  #say(text) {
    this.find("[data-status]").textContent = text;
  }

  /** Save the truth, the back-projection and both reconstructions as one picture. */
  #save() {
    const pictures = ["[data-truth]", "[data-picture=adjoint]", "[data-picture=without]", "[data-picture=with]"];
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [4 * 264 + 8, 300];
    const context = canvas.getContext("2d");
    [context.fillStyle, context.imageSmoothingEnabled] = ["#fff", false];
    context.fillRect(0, 0, canvas.width, canvas.height);
    [context.fillStyle, context.font] = ["#000", "14px sans-serif"];
    const psnr = SIDES.map((side) => this.find(`[data-psnr=${side}]`).textContent);
    const titles = ["truth", "Aᵀy", `without P, ${psnr[0]}`, `with P, ${psnr[1]}`];
    pictures.forEach((selector, i) => {
      context.drawImage(this.find(selector), 8 + 264 * i, 32, 256, 256);
      context.fillText(`${titles[i]}${i > 1 ? `, iteration ${this.shown}` : ""}`, 8 + 264 * i, 22, 256);
    });
    canvas.toBlob((blob) => {
      const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(blob), download: "camera.png"});
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
}
