// Closed forms behind the continuous controls: what an iteration, or one step, leaves of the error in one mode.
"use strict";

const ddgpForms = (() => {
  /** Trace and determinant of the two steps of a mode under Nesterov's rule, and what is under the root. */
  function matrix(eigenvalue, step, momentum) {
    const q = 1 - step * eigenvalue;
    const [trace, determinant] = [(1 + momentum) * q, momentum * q];
    return {trace, determinant, under: trace ** 2 - 4 * determinant};
  }

  /** The root with the larger modulus, of two that are real. */
  const larger = ({trace, under}) => (trace + (trace < 0 ? -1 : 1) * Math.sqrt(Math.max(0, under))) / 2;

  /** Return the factor of a mode for each iteration in the long run. */
  function rate(eigenvalue, step, momentum) {
    const found = matrix(eigenvalue, step, momentum);
    return found.under < 0 ? Math.sqrt(found.determinant) : Math.abs(larger(found));
  }

  /** Return the sum of aⁱ bⁿ⁻ⁱ over i = 0, …, n, where a and b are the roots. */
  function sum(found, n) {
    if (found.under < 0) {
      const angle = Math.atan2(Math.sqrt(-found.under), found.trace);
      return (found.determinant ** (n / 2) * Math.sin((n + 1) * angle)) / Math.sin(angle);
    }
    const a = larger(found);
    const b = a === 0 ? 0 : found.determinant / a;
    return Math.abs(a - b) <= 1e-6 * Math.abs(a) ? (n + 1) * a ** n : (a ** (n + 1) - b ** (n + 1)) / (a - b);
  }

  /** Return what k iterations from rest leave of the error in a mode, with its sign. */
  function errorLeft(eigenvalue, step, momentum, k) {
    if (k === 0) return 1;
    const found = matrix(eigenvalue, step, momentum);
    return sum(found, k) - found.determinant * sum(found, k - 1);
  }

  /** Return the momentum that suits the slowest mode best, at the step 1/L. */
  const bestMomentum = (kappa) => (kappa - 1) / (kappa + 1);

  /** What one step through a preconditioner leaves of the error, r(t) = 1 − t p(t). */
  const residuals = {
    ifista: (t, degree) => (1 - t) ** (degree + 1),
    l2(t, degree) {
      const n = degree + 1;
      let [term, total] = [1, 1];
      for (let k = 0; k < n; k++) {
        term *= ((k - n) * (n + 2 + k) * t) / ((2 + k) * (1 + k));
        total += term;
      }
      return total;
    },
    chebyshev(t, degree, lower) {
      const n = degree + 1;
      const at = (x) => (x <= 1 ? Math.cos(n * Math.acos(Math.max(-1, x))) : Math.cosh(n * Math.acosh(x)));
      return at((1 + lower - 2 * t) / (1 - lower)) / at((1 + lower) / (1 - lower));
    },
    newton: (t, damping) => damping / (t + damping),
  };

  /** Return the weight of what is learned in iteration k = 0, 1, …, which fades from `start` on; Infinity: it does not. */
  const weight = (k, start) => Math.min(1, start / (k + 1)) ** 2;

  /** Return what is left of the error in a mode after 0, 1, …, n iterations, where a correction of some gain fades. */
  function faded(n, gain, start, plain) {
    const left = [1];
    for (let k = 0; k < n; k++) left.push(left[k] * (1 - plain - weight(k, start) * gain));
    return left;
  }

  /** Return the largest over the smallest t p(t), for r at points of the spectrum. */
  function conditionNumber(left) {
    const made = left.map((r) => 1 - r);
    return Math.max(...made) / Math.min(...made);
  }

  /** Return n points from low to high, equally far apart on a logarithmic axis. */
  const spread = (low, high, n) => Array.from({length: n}, (_, i) => low * (high / low) ** (i / (n - 1)));

  return {rate, errorLeft, bestMomentum, residuals, faded, conditionNumber, spread};
})();
