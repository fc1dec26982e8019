// Blur and decimation with periodic boundaries: two small matrices, whose singular vectors are known.

/** Return the taps of a Gaussian filter with sum 1, which reach int(std / 0.3 + 1) pixels from the centre. */
export function gaussianTaps(std) {
  const reach = Math.trunc(std / 0.3 + 1);
  const taps = Array.from({length: 2 * reach + 1}, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * std ** 2)));
  const sum = taps.reduce((a, b) => a + b);
  return taps.map((tap) => tap / sum);
}

/** Return a matrix with rows · columns entries, `entry(row, column)` each. */
function matrix(rows, columns, entry) {
  const values = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) values[r * columns + c] = entry(r, c);
  return {rows, columns, values};
}

const at = (m, r, c) => m.values[r * m.columns + c];
const transposed = (m) => matrix(m.columns, m.rows, (r, c) => at(m, c, r));

function product(a, b) {
  return matrix(a.rows, b.columns, (r, c) => {
    let sum = 0;
    for (let i = 0; i < a.columns; i++) sum += at(a, r, i) * at(b, i, c);
    return sum;
  });
}

/** Blur an image with a Gaussian and keep every factor-th pixel of every factor-th row. */
export class Downsampling {
  /**
   * @param {number} side side of the image, a multiple of `factor`
   * @param {number} factor what is kept: every factor-th pixel
   * @param {number} std standard deviation of the Gaussian in pixels of the image
   * @param {number} rtol singular values below this part of the largest count as zero
   */
  constructor(side, factor, std, rtol = 1e-5) {
    this.side = side;
    this.channels = 1;
    this.small = side / factor;
    const taps = gaussianTaps(std);
    const kernel = new Float64Array(side);
    const reach = (taps.length - 1) / 2;
    taps.forEach((tap, i) => (kernel[(((i - reach) % side) + side) % side] += tap));
    this.along = matrix(this.small, side, (r, c) => kernel[(r * factor - c + side) % side]);
    this.across = transposed(this.along);
    this.#diagonalise(rtol);
    this.count = this.small ** 2;
  }

  /** The left singular vectors are the Hartley basis cos + sin, since A₁A₁ᵀ is a symmetric circulant. */
  #diagonalise(rtol) {
    const n = this.small;
    const hartley = matrix(n, n, (r, c) => {
      const angle = (2 * Math.PI * ((r * c) % n)) / n;
      return (Math.cos(angle) + Math.sin(angle)) / Math.sqrt(n);
    });
    const seen = product(hartley, this.along);
    const row = (r) => seen.values.subarray(r * this.side, (r + 1) * this.side);
    const values = Float64Array.from({length: n}, (_, r) => Math.hypot(...row(r)));
    const largest = Math.max(...values);
    this.right = matrix(n, this.side, (r, c) => (values[r] > 1e-7 * largest ? at(seen, r, c) / values[r] : 0));
    this.squaredNorm = largest ** 4;
    this.spectrum = matrix(n, n, (r, c) => (values[r] * values[c]) ** 2);
    this.kept = this.spectrum.values.map((value) => (value > rtol ** 2 * this.squaredNorm ? 1 : 0));
  }

  #both(left, image, right) {
    const [rows, columns] = [left.columns, right.rows];
    const made = product(product(left, {rows, columns, values: image}), right);
    return Float32Array.from(made.values);
  }

  /** Every entry is measured. */
  mask(y) {
    return Float32Array.from(y);
  }

  /** Return A x, side / factor pixels a side. */
  measure(x) {
    return this.#both(this.along, x, this.across);
  }

  /** Return Aᵀ y. */
  adjoint(y) {
    return this.#both(this.across, y, this.along);
  }

  /** Return AᵀA x. */
  normal(x) {
    return this.adjoint(this.measure(x));
  }

  /** Return A⁺A x. */
  project(x) {
    const coefficients = this.#both(this.right, x, transposed(this.right)).map((value, i) => this.kept[i] * value);
    return this.#both(transposed(this.right), coefficients, this.right);
  }

  /** Return ‖A‖² (AᵀA + λ‖A‖² I)⁻¹ x. */
  newton(x, damping) {
    const gain = (value) => 1 / (value / this.squaredNorm + damping) - 1 / damping;
    const coefficients = this.#both(this.right, x, transposed(this.right));
    const changed = coefficients.map((value, i) => gain(this.spectrum.values[i]) * value);
    const added = this.#both(transposed(this.right), changed, this.right);
    return x.map((value, i) => value / damping + added[i]);
  }
}
