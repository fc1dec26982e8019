// Discrete Fourier transforms of sides that are powers of two, and MRI that measures some columns of k-space.

/** Transform n numbers (re, im) in place, orthonormally; `sign` is −1 forwards and 1 back. */
export function fft(re, im, sign = -1) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let i = 0; i < size / 2; i++) {
      const angle = (sign * 2 * Math.PI * i) / size;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let even = i; even < n; even += size) {
        const odd = even + size / 2;
        const [a, b] = [c * re[odd] - s * im[odd], c * im[odd] + s * re[odd]];
        [re[odd], im[odd]] = [re[even] - a, im[even] - b];
        [re[even], im[even]] = [re[even] + a, im[even] + b];
      }
    }
  }
  const scale = 1 / Math.sqrt(n);
  for (let i = 0; i < n; i++) {
    re[i] *= scale;
    im[i] *= scale;
  }
}

/** Call `change(re, im)` with each line of a complex image: rows (step 1) or columns (step = side). */
function alongLines(image, side, rows, change) {
  const pixels = side * side;
  const [re, im] = [new Float64Array(side), new Float64Array(side)];
  const made = new Float32Array(image.length);
  for (let line = 0; line < side; line++) {
    const place = (i) => (rows ? line * side + i : i * side + line);
    for (let i = 0; i < side; i++) [re[i], im[i]] = [image[place(i)], image[pixels + place(i)]];
    change(re, im);
    for (let i = 0; i < side; i++) [made[place(i)], made[pixels + place(i)]] = [re[i], im[i]];
  }
  return made;
}

/** Swap the halves of n numbers; n is even, so this is its own inverse. */
function swapHalves(values) {
  const half = values.length / 2;
  for (let i = 0; i < half; i++) [values[i], values[i + half]] = [values[i + half], values[i]];
}

/** Return the centred orthonormal two-dimensional transform of a complex image, forwards (−1) or back (1). */
export function centred(image, side, sign = -1) {
  const change = (re, im) => {
    [re, im].forEach(swapHalves);
    fft(re, im, sign);
    [re, im].forEach(swapHalves);
  };
  return alongLines(alongLines(image, side, true, change), side, false, change);
}

/** Single-coil Cartesian MRI of complex images: real parts first, then imaginary parts. */
export class CartesianMRI {
  /** @param {ArrayLike<number|boolean>} columns which columns of k-space are measured; zero frequency at side / 2 */
  constructor(columns) {
    this.side = columns.length;
    this.channels = 2;
    this.squaredNorm = 1;
    this.columns = Uint8Array.from(columns, (kept) => (kept ? 1 : 0));
    this.count = this.columns.reduce((sum, kept) => sum + kept, 0) * this.side;
    this.measured = Uint8Array.from({length: 2 * this.side ** 2}, (_, i) => this.columns[i % this.side]);
    const half = this.side / 2;
    this.shifted = this.columns.map((_, i) => this.columns[(i + half) % this.side]);
  }

  /** Keep the entries that are measured. */
  mask(y) {
    return Float32Array.from(y, (value, i) => this.measured[i] * value);
  }

  /** Return A x, in the image's shape. */
  measure(x) {
    return this.mask(centred(x, this.side));
  }

  /** Return Aᵀ y. */
  adjoint(y) {
    return centred(this.mask(y), this.side, 1);
  }

  /** Return AᵀA x: along a column the transform cancels, so one along the rows is enough. */
  normal(x) {
    return alongLines(x, this.side, true, (re, im) => {
      fft(re, im);
      for (let i = 0; i < this.side; i++) {
        re[i] *= this.shifted[i];
        im[i] *= this.shifted[i];
      }
      fft(re, im, 1);
    });
  }

  /** Return A⁺A x. */
  project(x) {
    return this.normal(x);
  }
}
