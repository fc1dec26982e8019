// Curves over the iterations, without P and with it, as SVG.

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [260, 150, 54, 22, 8];
const NAME = "http://www.w3.org/2000/svg";

function element(name, attributes, text = "") {
  const made = document.createElementNS(NAME, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.textContent = text;
  return made;
}

/** Return the ends of an axis around values, or from 0 on; 0 and 1 where there are none. */
function ends(values, fromZero) {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const margin = Math.max(0.05 * (high - low), 0.01 * Math.abs(high), 1e-6);
  if (fromZero) return [0, high + margin];
  return [low < 0 ? low - margin : Math.max(0, low - margin), high + margin];
}

/** Write a number with three digits that say something. */
export const written = (value) =>
  Number.isFinite(value) ? short(value) : "not finite";

const short = (value) =>
  value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e4) ? value.toExponential(1) : String(Number(value.toPrecision(3)));

/**
 * Draw the curves of one measure.
 *
 * @param {SVGElement} svg where; what stood there is replaced
 * @param {{without: number[], with: number[]}} curves values of the iterations 0, 1, …
 * @param {number} last the last iteration of the axis
 * @param {number} shown the iteration that is marked
 * @param {boolean} fromZero whether the axis starts at 0, as that of an error does
 */
export function plot(svg, curves, last, shown, fromZero) {
  const [low, high] = ends([...curves.without, ...curves.with], fromZero);
  const x = (k) => LEFT + ((WIDTH - LEFT - 8) * k) / Math.max(1, last);
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * (value - low)) / (high - low);
  const parts = [
    element("path", {class: "axis", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - 8}`}),
    element("path", {class: "mark", d: `M${x(shown)} ${TOP}V${HEIGHT - BOTTOM}`}),
    element("text", {x: LEFT - 4, y: HEIGHT - BOTTOM, "text-anchor": "end"}, written(low)),
    element("text", {x: LEFT - 4, y: TOP + 8, "text-anchor": "end"}, written(high)),
    element("text", {x: LEFT, y: HEIGHT - 6}, "0"),
    element("text", {x: WIDTH - 8, y: HEIGHT - 6, "text-anchor": "end"}, String(last)),
  ];
  for (const [side, values] of Object.entries(curves)) {
    const points = values.map((value, k) => [x(k), y(value)]).filter((point) => point.every(Number.isFinite));
    const d = points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
    parts.push(element("path", {class: side, d}));
  }
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.replaceChildren(...parts);
}
