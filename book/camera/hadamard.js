// The single-pixel camera: rows of the orthonormal two-dimensional Hadamard basis, some of which are measured.

/** Transform every row of a square image by butterflies; the result is transposed. */
function rowsTransposed(image, side) {
  const made = new Float32Array(image.length);
  const row = new Float64Array(side);
  const scale = 1 / Math.sqrt(side);
  for (let r = 0; r < side; r++) {
    for (let c = 0; c < side; c++) row[c] = image[r * side + c];
    for (let half = 1; half < side; half *= 2) {
      for (let start = 0; start < side; start += 2 * half) {
        for (let i = start; i < start + half; i++) {
          const [a, b] = [row[i], row[i + half]];
          row[i] = a + b;
          row[i + half] = a - b;
        }
      }
    }
    for (let c = 0; c < side; c++) made[c * side + r] = scale * row[c];
  }
  return made;
}

/** Return H x H of an image, with H the orthonormal Hadamard matrix, its own inverse; the side is a power of two. */
export const transform = (image, side) => rowsTransposed(rowsTransposed(image, side), side);

/** A single-pixel camera; `ranks` says which place each pattern has in the order in which they are measured. */
export class SinglePixel {
  /**
   * @param {number[]} ranks place of each of the side² patterns, from 0
   * @param {number} ratio fraction of the patterns that is measured, in (0, 1]
   */
  constructor(ranks, ratio) {
    this.side = Math.round(Math.sqrt(ranks.length));
    this.channels = 1;
    this.squaredNorm = 1;
    this.count = Math.max(1, Math.round(ratio * ranks.length));
    this.measured = Uint8Array.from(ranks, (rank) => (rank < this.count ? 1 : 0));
  }

  /** Keep the entries that are measured. */
  mask(y) {
    return Float32Array.from(y, (value, i) => this.measured[i] * value);
  }

  /** Return A x, in the image's shape: zero where nothing is measured. */
  measure(x) {
    return this.mask(transform(x, this.side));
  }

  /** Return Aᵀ y. */
  adjoint(y) {
    return transform(this.mask(y), this.side);
  }

  /** Return AᵀA x, which is also the projection A⁺A x. */
  normal(x) {
    return this.adjoint(transform(x, this.side));
  }

  /** Return A⁺A x. */
  project(x) {
    return this.normal(x);
  }
}
