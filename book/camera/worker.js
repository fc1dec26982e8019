// Runs the two solvers side by side, away from the page, so that the page stays responsive.

import * as ort from "../vendor/onnxruntime/ort.wasm.min.mjs";
import {measured, operatorOf} from "./cameras.js";
import {Networks} from "./networks.js";
import {Run, judge} from "./solver.js";
import {magnitude} from "./vectors.js";

const FILES = new URL("./files/", import.meta.url).href;
ort.env.wasm.wasmPaths = new URL("../vendor/onnxruntime/", import.meta.url).href;
ort.env.wasm.numThreads = 1; // several need headers that a plain host does not send

const loaded = new Map();
let present = 0;

/** Load the networks of a task once. */
function networksOf(card) {
  if (!loaded.has(card.task)) {
    let bytes = 0;
    const tell = (more) => postMessage({type: "loading", bytes: (bytes += more)});
    loaded.set(card.task, Networks.load(ort, FILES, card, tell));
    loaded.get(card.task).catch(() => loaded.delete(card.task));
  }
  return loaded.get(card.task);
}

/** Let messages come in between two iterations, and wait for as long as the reader wants to look. */
const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Send what one side has come to. */
function send(id, side, run, problem, truth, milliseconds) {
  const picture = magnitude(run.x, problem.operator.channels);
  const judged = judge(run.x, truth, problem);
  postMessage({type: "step", id, side, k: run.k, picture, judged, rejected: run.rejected, milliseconds});
  return Number.isFinite(judged.psnr) && judged.residual < 1e6;
}

/** Measure an image and run the solver without and with P. */
async function start({id, card, tables, choice, truth, noise, seed, settings, iterations, pause}) {
  const operator = operatorOf(choice, tables);
  const y = measured(operator, truth, noise, seed);
  const networks = await networksOf(card);
  postMessage({type: "measured", id, y, count: operator.count});
  const plain = {operator, y, denoise: networks.denoise, correct: null, base: null};
  const {form, damping} = card.preconditioner;
  const correct = networks.preconditioner ? networks.correct : null;
  const base = form.startsWith("newton") ? (grad) => operator.newton(grad, damping) : null;
  const problems = {without: plain, with: {...plain, correct, base}};
  const runs = Object.entries(problems).map(([side, problem]) => [side, problem, new Run(problem, settings[side])]);
  const going = new Set(runs);
  runs.forEach(([side, problem, run]) => send(id, side, run, problem, truth, 0));
  for (let k = 0; k < iterations && going.size > 0; k++) {
    for (const one of going) {
      const [side, problem, run] = one;
      const before = performance.now();
      await run.step();
      if (!send(id, side, run, problem, truth, performance.now() - before)) going.delete(one);
    }
    await rest(pause);
    if (present !== id) return;
  }
  postMessage({type: "end", id});
}

onmessage = ({data}) => {
  present = data.id;
  if (data.type === "run") {
    start(data).catch((error) => postMessage({type: "error", id: data.id, text: String(error?.message ?? error)}));
  }
};
