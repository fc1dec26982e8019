// Plug-and-play FISTA with a preconditioner and a safeguard, iteration by iteration, as in ddgp_lib.solvers.

import {dot, minus, norm, plus, psnr, relax} from "./vectors.js";

/** k ↦ β_k for z_k, k = 1, 2, … */
export const MOMENTUM = {
  chambolle_dossal: (k) => (k - 1) / (k + 3),
  deepinv: (k) => (k + 1) / (k + 2),
  none: () => 0,
};

/** γ_k = min(1, (k₀ / (k + 1))²); 1 where k₀ is null. */
export const weight = (start, k) => (start === null ? 1 : Math.min(1, (start / (k + 1)) ** 2));

/** What ddgp_lib.solvers.Safeguard watches, with its default bounds. */
const SAFEGUARD = {growth: 4, floors: [0.2, 0.05]};

/**
 * What stays the same along a run.
 *
 * @typedef {object} Problem
 * @property {object} operator A, with measure, adjoint, normal, project and squaredNorm
 * @property {Float32Array} y measurements
 * @property {(u: Float32Array, sigma: number) => Promise<Float32Array>} denoise D_σ
 * @property {?(grad: Float32Array, z: Float32Array, k: number) => Promise<Float32Array>} correct N_θ, or null
 * @property {?(grad: Float32Array) => Float32Array} base Newton's step in the place of the gradient, or null
 */

/**
 * What a reader chooses.
 *
 * @typedef {object} Settings
 * @property {number} sigma σ
 * @property {string} momentum a key of MOMENTUM
 * @property {?number} prior_decay k₀ of what is learned
 * @property {?number} update_decay k₀ of the whole update
 * @property {number} step α as a multiple of 1/‖A‖²
 * @property {number} strength what P(∇g) − ∇g is multiplied by
 * @property {boolean} free whether N_θ may change what is measured
 * @property {boolean} safeguard whether P is given up where residuals grow
 */

/** One run: after each step, `x`, `z`, `k` and `rejected` are those of the present iteration. */
export class Run {
  /** @param {Problem} problem @param {Settings} settings */
  constructor(problem, settings) {
    this.problem = problem;
    this.settings = settings;
    this.stepsize = settings.step / problem.operator.squaredNorm;
    this.adjoint = problem.operator.adjoint(problem.y);
    this.sizes = [norm(problem.y), this.stepsize * norm(this.adjoint)];
    this.smallest = [1, 1];
    this.rejected = false;
    this.k = 0;
    [this.x, this.z] = [this.adjoint, this.adjoint];
  }

  /** Take one iteration. */
  async step() {
    const made = await this.#iteration(this.x, this.z, this.k, !this.rejected);
    const grown = this.settings.safeguard && this.#grows(made);
    [this.x, this.z] = [made.x, made.following];
    if (grown && !this.rejected) await this.#startAgain();
    this.k += 1;
  }

  /** The direction P(∇g; z) at z, or ∇g itself where P is off. */
  async #direction(grad, z, k, on) {
    const {operator, correct, base} = this.problem;
    const {strength, free, prior_decay: decay} = this.settings;
    if (!on || (!correct && !base)) return grad;
    let added = base ? minus(base(grad), grad) : new Float32Array(grad.length);
    if (correct) {
      const correction = await correct(grad, z, k);
      added = plus(added, free ? correction : minus(correction, operator.project(correction)));
    }
    return plus(grad, added, weight(decay, k) * strength);
  }

  /** Return x_{k+1}, z_{k+1} as `following`, and ∇g(z_k), from x_k and z_k. */
  async #iteration(x, z, k, on) {
    const {sigma, momentum, prior_decay: decay, update_decay: end} = this.settings;
    const grad = minus(this.problem.operator.normal(z), this.adjoint);
    const u = plus(z, await this.#direction(grad, z, k, on), -this.stepsize);
    const v = relax(u, await this.problem.denoise(u, sigma), weight(decay, k));
    const next = relax(x, v, weight(end, k));
    return {x: next, following: plus(next, minus(next, x), MOMENTUM[momentum](k + 1)), z, grad};
  }

  /** Say whether a residual has grown beyond its bound: that of the data, or that of the fixed point. */
  #grows({x, z, grad}) {
    const square = dot(z, minus(grad, this.adjoint)) + this.sizes[0] ** 2;
    const residuals = [Math.sqrt(Math.max(0, square)) / this.sizes[0], norm(minus(x, z)) / this.sizes[1]];
    const within = residuals.every(
      (value, i) => value <= SAFEGUARD.growth * Math.max(this.smallest[i], SAFEGUARD.floors[i]),
    );
    this.smallest = residuals.map((value, i) => (value < this.smallest[i] ? value : this.smallest[i]));
    return !within;
  }

  /** Give the image the iterates that it would have had without P. */
  async #startAgain() {
    this.rejected = true;
    [this.x, this.z] = [this.adjoint, this.adjoint];
    for (let j = 0; j <= this.k; j++) {
      const made = await this.#iteration(this.x, this.z, j, false);
      [this.x, this.z] = [made.x, made.following];
    }
  }
}

/** Return how good x is: PSNR in dB, ‖Ax − y‖/‖y‖, and the parts of ‖x − x*‖/‖x*‖ that A sees and does not see. */
export function judge(x, truth, {operator, y}) {
  const error = minus(x, truth);
  const seen = operator.project(error);
  const size = norm(truth);
  return {
    psnr: psnr(x, truth, operator.channels),
    residual: norm(minus(operator.measure(x), y)) / norm(y),
    range: norm(seen) / size,
    null: norm(minus(error, seen)) / size,
  };
}
