// The cameras of the page: how a choice becomes an operator, and measurements with noise.

import {Downsampling} from "./blur.js";
import {CartesianMRI} from "./fourier.js";
import {SinglePixel} from "./hadamard.js";
import {gaussian} from "./vectors.js";

/** Return which columns of k-space are measured at an acceleration: the first of the order. */
export const columnsAt = (ranks, acceleration) =>
  ranks.map((rank) => rank < Math.round(ranks.length / acceleration));

/** Images of the camera that blurs are this many pixels a side, and it keeps every second pixel of every second row. */
export const DECIMATION = {side: 32, factor: 2};

/** Return the operator of a choice {task, ratio, ordering, columns, std}. */
export function operatorOf(choice, tables) {
  if (choice.task === "mri") return new CartesianMRI(choice.columns);
  if (choice.task === "blur") return new Downsampling(DECIMATION.side, DECIMATION.factor, choice.std);
  return new SinglePixel(tables.patterns[choice.ordering], choice.ratio);
}

/** Return A x + w on the entries that are measured, with noise of standard deviation `level` from a seed. */
export function measured(operator, truth, level, seed) {
  const draw = gaussian(seed);
  return operator.mask(operator.measure(truth).map((value) => value + level * draw()));
}
