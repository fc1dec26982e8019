// Arithmetic of images, which are flat arrays of numbers, and noise that depends on a seed alone.

/** Return Σ a_i b_i. */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Return ‖a‖. */
export const norm = (a) => Math.sqrt(dot(a, a));

/** Return a + c b as a new array. */
export function plus(a, b, c = 1) {
  const made = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) made[i] = a[i] + c * b[i];
  return made;
}

/** Return a − b as a new array. */
export const minus = (a, b) => plus(a, b, -1);

/** Return a + w (b − a): b itself for w = 1. */
export const relax = (a, b, weight) => (weight === 1 ? b : plus(a, minus(b, a), weight));

/** Return the magnitudes of a complex image, whose imaginary parts follow the real ones; a real image as it is. */
export function magnitude(image, channels) {
  if (channels === 1) return image;
  const pixels = image.length / 2;
  return Float32Array.from({length: pixels}, (_, i) => Math.hypot(image[i], image[pixels + i]));
}

/** Return the PSNR in dB of an image against the truth, on [0, 1]: of magnitudes where images are complex. */
export function psnr(image, truth, channels) {
  const difference = minus(magnitude(image, channels), magnitude(truth, channels));
  return -10 * Math.log10(dot(difference, difference) / difference.length + 1e-8);
}

/** Return a function that draws standard normal numbers: mulberry32, then the transform of Box and Muller. */
export function gaussian(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
