// The continuous controls of the book: what moves, what is drawn, and what is said.
"use strict";

const ddgpControls = (() => {
  const {rate, errorLeft, bestMomentum, residuals, faded, conditionNumber, spread} = ddgpForms;
  const {written} = ddgpPanels;
  const decades = {place: Math.log10, value: (p) => 10 ** p};

  /** Iterations until an error is ten times smaller. */
  const tenfold = (factor) => (factor < 1 ? Math.max(1, Math.log(10) / -Math.log(factor)) : NaN);
  const iterations = (factor) => (factor < 1 ? written(Math.ceil(tenfold(factor))) : "never");
  const factor = (value) => (value > 0.9 && value < 1 ? value.toFixed(5).replace(/0+$/, "") : written(value));

  const LAST = 300;

  /** Gradient descent with momentum on a quadratic with L = 1, mode by mode. */
  const momentum = {
    sliders: {
      step: {label: "Step size α, as a multiple of 1/L", low: 0.05, high: 2.2, step: 0.01, ticks: [0.05, 0.5, 1, 1.5, 2], say: (v) => v.toFixed(2)},
      momentum: {
        label: "Momentum β", low: 0, high: 0.999, step: 0.01, ticks: [0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999],
        say: (v) => v.toFixed(v < 0.9 ? 2 : 4), place: (v) => -Math.log10(1 - v), value: (p) => 1 - 10 ** -p,
      },
      kappa: {label: "Condition number κ of A", low: 1, high: 1000, step: 0.01, ticks: [1, 10, 100, 1000], say: written, ...decades},
    },
    panels: {
      errors: "Error left in three modes against the iteration, from 0 to 300.",
      effort: "Iterations until the error is ten times smaller, against the singular value, with and without momentum.",
    },
    show({step, momentum, kappa}) {
      const modes = [["strongest", "teacher", 1], ["middle", "linear", kappa ** -0.5], ["weakest", "gradient_only", 1 / kappa]];
      const of = (s, beta = momentum) => rate(s * s, step, beta);
      const slowest = Math.max(of(1), of(1 / kappa));
      const bound = (1 - momentum) / (1 + momentum) / Math.sqrt(step);
      const points = spread(1 / kappa, 1, 161);
      const effort = (beta) => points.map((s) => [s, tenfold(of(s, beta))]);
      const rates = modes.map(([name, , s]) => `${factor(of(s))} in the ${name}`);
      return {
        plots: {
          errors: {
            x: {low: 0, high: LAST, ticks: [0, 100, 200, 300], label: "iteration k"},
            y: {low: -1.05, high: 1.1, ticks: [-1, 0, 1], label: "error left"},
            curves: modes.map(([, role, s]) => ({
              role, points: Array.from({length: LAST + 1}, (_, k) => [k, errorLeft(s * s, step, momentum, k)]),
            })),
          },
          effort: {
            x: {low: 1e-3, high: 1.3, log: true, ticks: [0.001, 0.01, 0.1, 1], label: "singular value s"},
            y: {low: 0.6, high: 1e7, log: true, ticks: [1, 100, 1e4, 1e6], label: "iterations to a tenth of the error"},
            curves: [{role: "baseline", points: effort(0)}, {role: "truth", points: effort(momentum)}],
            dots: modes.map(([, role, s]) => ({role, at: [s, tenfold(of(s))]})),
            lines: momentum > 0 ? [{at: bound, text: "ring to the right"}] : [],
          },
        },
        heads: ["mode", "s", "rate", "iterations to a tenth"],
        rows: [
          ...modes.map(([name, role, s]) => ({role, cells: [name, written(s), factor(of(s)), iterations(of(s))]})),
          {role: "truth", cells: ["all, this β", "", factor(slowest), iterations(slowest)]},
          {role: "baseline", cells: ["all, β = 0", "", ...[factor, iterations].map((say) => say(Math.max(of(1, 0), of(1 / kappa, 0))))]},
        ],
        rates: {slowest, modes: modes.map(([, , s]) => of(s))},
        words:
          `Step ${step.toFixed(2)}/L, momentum ${momentum.toFixed(4)}, κ = ${written(kappa)}: ` +
          (slowest < 1 ? `in the long run the error is multiplied by ${factor(slowest)} in each iteration, and ` +
            `${iterations(slowest)} iterations leave a tenth of it. ` : "the iteration does not converge. ") +
          `The rate is ${rates.join(", ")} mode. ` +
          (momentum > 0 ? `Modes with s above ${written(bound)} ring. ` : "No mode rings. ") +
          `With step 1/L, β = ${bestMomentum(kappa).toFixed(4)} would be best for the slowest mode.`,
      };
    },
  };

  const SPECTRUM = spread(1e-3, 1, 400);

  /** Residual polynomials and Newton's damped step over a spectrum from 1/1000 to 1. */
  const polynomial = {
    sliders: {
      degree: {label: "Degree d", low: 0, high: 8, step: 1, ticks: [0, 1, 2, 3, 4, 5, 6, 7, 8], say: (v) => `${v} (${v + 1} product${v ? "s" : ""} a step)`},
      damping: {label: "Damping λ of Newton’s step", low: 1e-4, high: 1, step: 0.01, ticks: [1e-4, 1e-3, 0.01, 0.1, 1], say: written, ...decades},
      lower: {label: "Chebyshev’s bound l", low: 1e-3, high: 0.1, step: 0.01, ticks: [0.001, 0.01, 0.1], say: written, ...decades},
    },
    panels: {
      residuals: "Error left after one step, against the eigenvalue from 0.001 to 1, for each rule.",
      spectra: "The eigenvalue of P A-transpose A against that of A-transpose A, for each rule.",
    },
    show({degree, damping, lower}) {
      const rules = [
        ["no P", "baseline", (t) => 1 - t, "1"],
        ["ifista", "other", (t) => residuals.ifista(t, degree), degree + 1],
        ["ℓ₂", "gradient_only", (t) => residuals.l2(t, degree), degree + 1],
        ["Chebyshev", "truth", (t) => residuals.chebyshev(t, degree, lower), degree + 1],
        ["Newton", "newton", (t) => residuals.newton(t, damping), "a linear system"],
      ];
      const left = rules.map(([, , r]) => SPECTRUM.map(r));
      const kappas = left.map(conditionNumber);
      const curves = (value) => rules.map(([, role], i) => ({role, points: SPECTRUM.map((t, j) => [t, value(left[i][j])])}));
      const x = {low: 1e-3, high: 1, log: true, ticks: [0.001, 0.01, 0.1, 1], label: "eigenvalue t"};
      return {
        plots: {
          residuals: {x, y: {low: 0, high: 1.05, ticks: [0, 0.5, 1], label: "error left, |r(t)|"}, curves: curves(Math.abs)},
          spectra: {
            x, y: {low: 8e-4, high: 3, log: true, ticks: [0.001, 0.01, 0.1, 1], label: "eigenvalue with P, t p(t)"},
            curves: curves((r) => 1 - r),
          },
        },
        heads: ["P", "condition number", "halves the error from t =", "products a step"],
        rows: rules.map(([name, role, , products], i) => {
          const from = SPECTRUM[left[i].findIndex((r) => Math.abs(r) < 0.5)];
          return {role, cells: [name, written(kappas[i]), from === undefined ? "nowhere" : written(from), String(products)]};
        }),
        kappas,
        words:
          `Degree ${degree}, λ = ${written(damping)}, l = ${written(lower)}: on eigenvalues from 0.001 to 1 the condition number is ` +
          rules.map(([name], i) => `${written(kappas[i])} with ${name}`).join(", ").replace("with no P", "without P") + ".",
      };
    },
  };

  /** One slow mode, and a correction that fades. */
  const fading = {
    sliders: {
      gain: {label: "Gain c of P in the mode", low: -0.5, high: 3, step: 0.01, ticks: [-0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3], say: (v) => v.toFixed(2).replace("-", "−")},
      start: {label: "Fading from iteration k₀ on", low: 1, high: 50, step: 1, ticks: [1, 10, 20, 30, 40, 50], say: String},
      plain: {label: "Share t that a plain step removes", low: 1e-5, high: 0.1, step: 0.01, ticks: [1e-5, 1e-4, 1e-3, 0.01, 0.1], say: written, ...decades},
    },
    panels: {
      errors: "Error left in the mode against the iteration, from 1 to 300, without P, with P, and with P that fades.",
      ends: "Error left after 300 iterations against the iteration from which P fades, from 1 to 50, beside that without P and that without fading.",
    },
    show({gain, start, plain}) {
      const runs = [["no P", "baseline", 0, Infinity], ["P, no fading", "other", gain, Infinity], ["P, fading", "truth", gain, start]]
        .map(([name, role, c, from]) => ({name, role, left: faded(LAST, c, from, plain).map(Math.abs)}));
      const end = runs.map(({left}) => left[LAST]);
      const starts = Array.from({length: 50}, (_, i) => i + 1);
      const y = {low: 1e-4, high: 1e4, log: true, ticks: [1e-4, 0.01, 1, 100, 1e4]};
      const ends = starts.map((from) => [from, Math.abs(faded(LAST, gain, from, plain)[LAST])]);
      const level = (value) => [[1, value], [50, value]];
      return {
        plots: {
          errors: {
            x: {low: 1, high: LAST, log: true, ticks: [1, 10, 100, 300], label: "iteration k"}, y: {...y, label: "error left"},
            curves: runs.map(({role, left}) => ({role, points: left.slice(1).map((value, i) => [i + 1, value])})),
            lines: [{at: start, text: "k₀"}],
          },
          ends: {
            x: {low: 1, high: 50, ticks: [1, 10, 20, 30, 40, 50], label: "fading from k₀ on"}, y: {...y, label: `error left after ${LAST}`},
            curves: [{role: "baseline", points: level(end[0])}, {role: "other", points: level(end[1])}, {role: "truth", points: ends}],
            dots: [{role: "truth", at: [start, end[2]]}],
          },
        },
        heads: ["run", ...[10, 100, LAST].map((k) => `left after ${k}`), "largest"],
        rows: runs.map(({name, role, left}) => ({
          role, cells: [name, ...[10, 100, LAST].map((k) => written(left[k])), written(Math.max(...left))],
        })),
        left: runs.map(({left}) => left),
        words:
          `Gain ${gain.toFixed(2).replace("-", "−")}, fading from k₀ = ${start}, t = ${written(plain)}: after ${LAST} iterations ` +
          `${written(end[0])} of the error is left without P, ${written(end[1])} with P and no fading, and ${written(end[2])} with P and fading.` +
          (gain < 0 ? ` With fading the error cannot exceed ${written(Math.exp(-2 * gain * start))} times the start, and its largest is ${written(Math.max(...runs[2].left))}.` : ""),
      };
    },
  };

  return {momentum, polynomial, fading};
})();

if (typeof document !== "undefined") {
  document.addEventListener("DOMContentLoaded", () => {
    for (const root of document.querySelectorAll(".ddgp-control")) ddgpPanels.mount(root, ddgpControls[root.dataset.control]);
  });
}
