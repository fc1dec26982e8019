// Runs of the two solvers in a worker, as the page and the pieces in the chapters ask for them.

import {columnsAt} from "./cameras.js";
import {settingsOf, unpackedColumns} from "./state.js";

export const SIDES = ["without", "with"];

const file = (name) => new URL(`./files/${name}`, import.meta.url);

/** Fetch one of the page's files. */
export async function fetched(name) {
  const response = await fetch(file(name));
  if (!response.ok) throw new Error(`${name}: the server answers ${response.status}`);
  return response;
}

/** Fetch the tables of the cameras, and the digits, 1,024 values in [0, 1] each. */
export async function tablesAndDigits() {
  const tables = await (await fetched("cameras.json")).json();
  const bytes = new Uint8Array(await (await fetched("digits.bin")).arrayBuffer());
  return [tables, Float32Array.from(bytes, (value) => value / 255)];
}

/** Return the columns of k-space that are measured: the reader's own, or those of the acceleration. */
export function columnsOf(state, tables) {
  const own = unpackedColumns(state.columns);
  return own.length === tables.columns.length && own.some(Boolean) ? own : columnsAt(tables.columns, state.acceleration);
}

/** Return the settings of both solvers. */
export function bothSettings(state, {settings, kind}) {
  return {without: settingsOf(state, settings.none), with: settingsOf(state, settings[kind])};
}

/** Return what the worker is asked for. */
export function requestOf(state, tables, truth) {
  const card = tables.cards[state.camera];
  const {ratio, ordering, std, noise, seed, iterations, pause} = state;
  const choice = {task: state.camera, ratio, ordering, std, columns: columnsOf(state, tables)};
  const patterns = {[ordering]: tables.patterns[ordering]};
  return {card, choice, truth, noise, seed, settings: bothSettings(state, card), iterations, pause, tables: {patterns}};
}

/** A worker that runs one request at a time; it is started with the first, and keeps its networks. */
export class Runner {
  /** @param {(data: object) => void} hear called with "loading", "measured", "step", "end" and "error" of the present run */
  constructor(hear) {
    Object.assign(this, {hear, worker: null, id: 0, running: false});
  }

  start(request) {
    this.id += 1;
    this.running = true;
    this.#employ().postMessage({type: "run", id: this.id, ...request});
  }

  stop() {
    this.running = false;
    this.id += 1;
    this.worker?.postMessage({type: "stop", id: this.id});
  }

  #employ() {
    if (this.worker === null) {
      this.worker = new Worker(new URL("./worker.js", import.meta.url), {type: "module"});
      this.worker.onmessage = ({data}) => this.#pass(data);
      this.worker.onerror = (event) => {
        this.worker = null;
        this.#pass({type: "error", id: this.id, text: event.message || "a script is missing"});
      };
    }
    return this.worker;
  }

  #pass(data) {
    if (!this.running || (data.type !== "loading" && data.id !== this.id)) return;
    if (data.type === "end" || data.type === "error") this.running = false;
    this.hear(data);
  }
}
