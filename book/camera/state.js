// What a reader has chosen, and how it stands in the address of the page.

/** Every choice and what it is at first; numbers stay numbers. */
export const DEFAULTS = {
  camera: "single_pixel",
  image: "0",
  ratio: 0.1,
  ordering: "cake_cutting",
  acceleration: 4,
  std: 1,
  columns: "",
  noise: 0.01,
  seed: 1,
  iterations: 20,
  pause: 0,
  sigma: 1,
  momentum: "tuned",
  fading: "tuned",
  step: 1,
  strength: 1,
  free: false,
  safeguard: false,
  drawing: "",
};

/** The choices that give the solvers as they were tuned. */
export const TUNED = Object.fromEntries(
  ["sigma", "momentum", "fading", "step", "strength", "free", "safeguard"].map((name) => [name, DEFAULTS[name]]),
);

/** What the reader draws is this many pixels a side, in four greys. */
export const DRAWING = 32;

/** Return a choice from a text, of the kind that the default is. */
function read(name, text) {
  const usual = DEFAULTS[name];
  if (typeof usual === "boolean") return text === "1";
  if (typeof usual === "string") return text;
  return Number.isFinite(Number(text)) ? Number(text) : usual;
}

/** What is accepted of an address, beside texts that are looked at where they are used: words, and lowest and highest. */
const ACCEPTED = {
  camera: ["single_pixel", "blur", "mri"],
  ordering: ["cake_cutting", "sequency", "zig_zag", "xy"],
  momentum: ["tuned", "none", "chambolle_dossal", "deepinv"],
  fading: ["tuned", "none", "prior", "update"],
};
const RANGES = {
  ratio: [0.001, 1], acceleration: [1, 128], std: [0.3, 4], noise: [0, 10], seed: [0, 1e9], iterations: [1, 1000],
  pause: [0, 2000], sigma: [0.01, 20], step: [0.001, 10], strength: [0, 100],
};

/** Return a value where it is accepted, and the first one where it is not. */
function accepted(name, value) {
  if (name in ACCEPTED) return ACCEPTED[name].includes(value) ? value : DEFAULTS[name];
  if (!(name in RANGES)) return value;
  const [lowest, highest] = RANGES[name];
  return Math.min(highest, Math.max(lowest, value));
}

/** Return the choices that an address names, the others as at first; what is unknown is left out. */
export function fromAddress(hash) {
  const given = [...new URLSearchParams(hash.replace(/^#/, ""))].filter(([name]) => name in DEFAULTS);
  const state = {...DEFAULTS, ...Object.fromEntries(given.map(([name, text]) => [name, read(name, text)]))};
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, accepted(name, value)]));
}

/** Return the address of choices: those alone that differ from the first ones. */
export function toAddress(state) {
  const changed = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  const written = changed.map(([name, value]) => [name, typeof value === "boolean" ? Number(value) : value]);
  return "#" + new URLSearchParams(written).toString();
}

/** Write a drawing, values in [0, 1], as text: two bits a pixel. */
export function packed(drawing) {
  const bytes = new Uint8Array(drawing.length / 4);
  drawing.forEach((value, i) => (bytes[i >> 2] |= Math.round(3 * value) << (2 * (i & 3))));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Read a drawing from text; an empty one where it is none. */
export function unpacked(text) {
  const made = new Float32Array(DRAWING ** 2);
  try {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    for (let i = 0; i < made.length && i >> 2 < bytes.length; i++) {
      made[i] = ((bytes.charCodeAt(i >> 2) >> (2 * (i & 3))) & 3) / 3;
    }
  } catch {
    made.fill(0);
  }
  return made;
}

/** Write columns of k-space as text, four a digit. */
export function packedColumns(columns) {
  const digits = [];
  for (let i = 0; i < columns.length; i += 4) {
    digits.push([0, 1, 2, 3].reduce((sum, j) => sum + (columns[i + j] ? 2 ** j : 0), 0).toString(16));
  }
  return digits.join("");
}

/** Read columns from text. */
export const unpackedColumns = (text) =>
  [...text].flatMap((digit) => [0, 1, 2, 3].map((j) => Boolean((parseInt(digit, 16) >> j) & 1)));

/** Return the settings of the solver for one side: what was tuned, with the reader's changes. */
export function settingsOf(state, tuned) {
  const fades = {
    tuned: {prior_decay: tuned.prior_decay, update_decay: tuned.update_decay},
    none: {prior_decay: null, update_decay: null},
    prior: {prior_decay: 10, update_decay: null},
    update: {prior_decay: null, update_decay: 10},
  };
  return {
    sigma: tuned.sigma * state.sigma,
    momentum: state.momentum === "tuned" ? tuned.momentum : state.momentum,
    ...fades[state.fading],
    step: state.step,
    strength: state.strength,
    free: state.free,
    safeguard: state.safeguard,
  };
}
