// Pictures on canvases: images in grey, a pad to draw on, and the columns of k-space.

import {DRAWING} from "./state.js";

/** Paint an image with values in [0, 1] on a canvas, a pixel each. */
export function paint(canvas, image) {
  const side = Math.round(Math.sqrt(image.length));
  [canvas.width, canvas.height] = [side, side];
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(side, side);
  image.forEach((value, i) => {
    const grey = Number.isFinite(value) ? 255 * Math.min(1, Math.max(0, value)) : 0;
    pixels.data.set([grey, grey, grey, 255], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
}

/** Return an image with four times as many pixels on each side, smoothed between them. */
export function enlarged(image, side, factor) {
  const large = side * factor;
  const at = (r, c) => image[Math.min(side - 1, Math.max(0, r)) * side + Math.min(side - 1, Math.max(0, c))];
  return Float32Array.from({length: large * large}, (_, i) => {
    const [y, x] = [(Math.floor(i / large) + 0.5) / factor - 0.5, ((i % large) + 0.5) / factor - 0.5];
    const [r, c] = [Math.floor(y), Math.floor(x)];
    const [down, right] = [y - r, x - c];
    const above = at(r, c) * (1 - right) + at(r, c + 1) * right;
    const below = at(r + 1, c) * (1 - right) + at(r + 1, c + 1) * right;
    return above * (1 - down) + below * down;
  });
}

/** A pad that is drawn on with a mouse, a finger or the keyboard. */
export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas where
   * @param {(drawing: Float32Array, done: boolean) => void} changed called with what is drawn
   * @param {(text: string) => void} say called with where the pen of the keyboard is
   */
  constructor(canvas, changed, say) {
    Object.assign(this, {canvas, changed, say, image: new Float32Array(DRAWING ** 2), side: DRAWING});
    this.pen = {row: 16, column: 16, down: false};
    this.last = null;
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.#end());
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show an image: a drawing to go on with, or a picture that the first stroke replaces. */
  show(image, drawn) {
    this.image = image;
    this.drawn = drawn;
    paint(this.canvas, image);
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = DRAWING / box.width;
    return [(event.clientY - box.top) * scale - 0.5, (event.clientX - box.left) * scale - 0.5];
  }

  #begin(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.#fresh();
    this.last = this.#place(event);
    this.#dab(...this.last);
    this.changed(this.image, false);
  }

  #move(event) {
    if (this.last === null) return;
    const [row, column] = this.#place(event);
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(row - this.last[0], column - this.last[1])));
    for (let i = 1; i <= steps; i++) {
      const part = i / steps;
      this.#dab(this.last[0] + part * (row - this.last[0]), this.last[1] + part * (column - this.last[1]));
    }
    this.last = [row, column];
    this.changed(this.image, false);
  }

  #end() {
    if (this.last === null) return;
    this.last = null;
    this.changed(this.image, true);
  }

  /** The first stroke on a picture begins an empty drawing. */
  #fresh() {
    if (!this.drawn) this.image = new Float32Array(DRAWING ** 2);
    this.drawn = true;
  }

  /** Ink around a point, as wide as the pen of the digits. */
  #dab(row, column) {
    for (let r = Math.floor(row) - 2; r <= row + 3; r++) {
      for (let c = Math.floor(column) - 2; c <= column + 3; c++) {
        if (r < 0 || c < 0 || r >= DRAWING || c >= DRAWING) continue;
        const ink = Math.min(1, Math.max(0, 2.1 - Math.hypot(r - row, c - column)));
        const grey = Math.round(3 * ink) / 3;
        this.image[r * DRAWING + c] = Math.max(this.image[r * DRAWING + c], grey);
      }
    }
    paint(this.canvas, this.image);
  }

  /** Arrows move the pen; the space bar puts it down and lifts it. */
  #key(event) {
    const moves = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
    const {pen} = this;
    if (event.key in moves) {
      const clip = (value) => Math.min(DRAWING - 1, Math.max(0, value));
      [pen.row, pen.column] = [clip(pen.row + moves[event.key][0]), clip(pen.column + moves[event.key][1])];
    } else if (event.key === " ") {
      pen.down = !pen.down;
    } else {
      return;
    }
    event.preventDefault();
    if (pen.down) {
      this.#fresh();
      this.#dab(pen.row, pen.column);
    }
    this.changed(this.image, pen.down);
    this.mark();
    this.say(`The pen is ${pen.down ? "down" : "up"}, at row ${pen.row + 1} and column ${pen.column + 1}.`);
  }

  /** Show where the pen of the keyboard is. */
  mark() {
    paint(this.canvas, this.image);
    const context = this.canvas.getContext("2d");
    const scale = this.canvas.width / DRAWING;
    context.fillStyle = this.pen.down ? "#ff8c00" : "#3b8eea";
    context.fillRect(this.pen.column * scale, this.pen.row * scale, scale, scale);
  }
}

/** The columns of k-space, clicked or toggled with the keyboard. */
export class Columns {
  /** @param {HTMLCanvasElement} canvas @param {(columns: boolean[], at: number) => void} changed */
  constructor(canvas, changed) {
    Object.assign(this, {canvas, changed, columns: [], at: 64});
    canvas.addEventListener("pointerdown", (event) => {
      const box = canvas.getBoundingClientRect();
      this.#toggle(Math.floor(((event.clientX - box.left) / box.width) * this.columns.length));
    });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show which columns are measured. */
  show(columns) {
    this.columns = columns;
    [this.canvas.width, this.canvas.height] = [4 * columns.length, 32];
    const context = this.canvas.getContext("2d");
    columns.forEach((kept, i) => {
      context.fillStyle = kept ? "#d98200" : "#3a3f44";
      context.fillRect(4 * i, i === this.at ? 0 : 4, 3, i === this.at ? 32 : 24);
    });
  }

  #toggle(column) {
    this.at = Math.min(this.columns.length - 1, Math.max(0, column));
    const columns = this.columns.map((kept, i) => (i === this.at ? !kept : kept));
    if (columns.some(Boolean)) this.show(columns);
    this.changed(this.columns, this.at);
  }

  #key(event) {
    const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (move === undefined && event.key !== " ") return;
    event.preventDefault();
    if (move === undefined) return this.#toggle(this.at);
    this.at = (this.at + move + this.columns.length) % this.columns.length;
    this.show(this.columns);
    this.changed(this.columns, this.at);
  }
}
