// What every continuous control is made of: sliders with ticks, plots with linked curves, a key, and the state in words.
"use strict";

const ddgpPanels = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [52, 14, 26, 42, 250];
  const PAUSE = 600; // milliseconds of rest before the state is read out

  /** Write a number with three digits that say something. */
  function written(value) {
    if (!Number.isFinite(value)) return "never";
    const size = Math.abs(value);
    if (value !== 0 && (size < 1e-3 || size >= 1e5)) {
      const [digits, power] = value.toExponential(1).split("e");
      const raised = [...power.replace("+", "")].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("");
      return digits === "1.0" ? `10${raised}` : `${digits.replace("-", "−")} · 10${raised}`;
    }
    const text = size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
    return text.replace("-", "−");
  }

  function make(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children);
    return made;
  }

  function draw(name, attributes, text = "") {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.textContent = text;
    return made;
  }

  /**
   * A slider. `place` leads from a value to its place on the track and `value` back; both default to the value itself.
   */
  function slider({label, low, high, step, ticks, say, place = (v) => v, value = (p) => p}, start, act) {
    const [first, last] = [low, high].map((end) => Number(place(end).toFixed(9))); // so that steps reach the end
    const input = make("input", {type: "range", min: first, max: last, step, autocomplete: "off"});
    const shown = make("output");
    const marks = make("span", {class: "ddgp-ticks", "aria-hidden": "true"});
    for (const tick of ticks) {
      const mark = make("span", {}, written(tick));
      mark.style.setProperty("--at", (place(tick) - first) / (last - first));
      marks.append(mark);
    }
    let untouched = {};
    const read = () =>
      input.value === untouched.at ? untouched.value : Math.min(high, Math.max(low, value(Number(input.value))));
    const tell = () => {
      shown.textContent = say(read());
      input.setAttribute("aria-valuetext", say(read()));
    };
    input.setAttribute("aria-label", label);
    input.addEventListener("input", () => {
      tell();
      act();
    });
    const set = (chosen) => {
      input.value = place(chosen);
      untouched = {at: input.value, value: chosen};
      tell();
    };
    set(start);
    return {element: make("label", {}, make("span", {}, `${label}: `, shown), input, marks), read, set};
  }

  const axis = ({low, high, log = false}, from, to) => {
    const place = log ? Math.log : (v) => v;
    return (value) => from + ((to - from) * (place(value) - place(low))) / (place(high) - place(low));
  };

  /** Return the path through points, broken where a value is not finite; what is far outside is drawn just outside. */
  function path(points, x, y) {
    let pen = "M";
    return points.map(([a, b]) => {
      const [u, v] = [x(a), y(b)];
      if (Number.isNaN(v)) {
        pen = "M";
        return "";
      }
      const piece = `${pen}${u.toFixed(1)} ${Math.min(2 * HEIGHT, Math.max(-HEIGHT, v)).toFixed(1)}`;
      pen = "L";
      return piece;
    }).join("");
  }

  /**
   * Draw a plot: its axes, {low, high, log, ticks, label}; curves, {role, points}; dots, {role, at}; and upright lines,
   * {at, text}.
   */
  function plot(svg, {x, y, curves, dots = [], lines = []}) {
    const width = svg.clientWidth || 340;
    const [right, floor] = [width - RIGHT, HEIGHT - BOTTOM];
    const [across, up] = [axis(x, LEFT, right), axis(y, floor, TOP)];
    const inside = draw("svg", {width: right - LEFT, height: floor - TOP, x: LEFT, y: TOP});
    inside.setAttribute("viewBox", `${LEFT} ${TOP} ${right - LEFT} ${floor - TOP}`);
    const parts = [draw("text", {x: 4, y: 14}, y.label), draw("text", {x: right, y: HEIGHT - 4, "text-anchor": "end"}, x.label)];
    for (const tick of x.ticks) {
      parts.push(draw("path", {class: "grid", d: `M${across(tick)} ${TOP}V${floor}`}));
      parts.push(draw("text", {x: across(tick), y: floor + 17, "text-anchor": "middle"}, written(tick)));
    }
    for (const tick of y.ticks) {
      parts.push(draw("path", {class: "grid", d: `M${LEFT} ${up(tick)}H${right}`}));
      parts.push(draw("text", {x: LEFT - 6, y: up(tick) + 4, "text-anchor": "end"}, written(tick)));
    }
    for (const {at, text} of lines) {
      if (at <= x.low || at >= x.high) continue;
      inside.append(draw("path", {class: "line", d: `M${across(at)} ${TOP}V${floor}`}));
      const end = across(at) > (LEFT + right) / 2;
      inside.append(draw("text", {x: across(at) + (end ? -5 : 5), y: floor - 6, "text-anchor": end ? "end" : "start"}, text));
    }
    for (const {role, points} of curves) inside.append(draw("path", {class: `curve ${role}`, d: path(points, across, up)}));
    for (const {role, at} of dots) {
      if (at.every(Number.isFinite)) inside.append(draw("circle", {class: role, cx: across(at[0]), cy: up(at[1]), r: 5}));
    }
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.replaceChildren(...parts, inside);
  }

  /** Fill the table that says which curve is which, with what is known of each: rows of {role, cells}. */
  function fill(table, heads, rows) {
    const head = make("tr", {}, ...heads.map((text) => make("th", {scope: "col"}, text)));
    const body = rows.map(({role, cells: [name, ...rest]}) => {
      const swatch = draw("svg", {width: 34, height: 12, "aria-hidden": "true"});
      swatch.append(draw("path", {class: `curve ${role}`, d: "M1 6H33"}));
      return make("tr", {}, make("th", {scope: "row"}, swatch, ` ${name}`), ...rest.map((text) => make("td", {}, text)));
    });
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
  }

  /**
   * Put a control into its place in the page, which holds a figure that stands for it until then.
   *
   * @param {HTMLElement} root what is to hold it; `data-values` are the values at the start
   * @param {{sliders: object, panels: object, show: function(object): object}} made the sliders by name, the alternative
   *   texts of the plots by name, and what is shown for values: {plots, heads, rows, words}
   */
  function mount(root, {sliders, panels, show}) {
    const start = JSON.parse(root.dataset.values);
    const built = {};
    const read = () => Object.fromEntries(Object.entries(built).map(([name, one]) => [name, one.read()]));
    const plots = Object.entries(panels).map(([name, label]) => [name, draw("svg", {class: "ddgp-plot", role: "img", "aria-label": label})]);
    const [key, words] = [make("table", {class: "ddgp-key"}), make("p", {class: "ddgp-words"})];
    const said = make("p", {class: "ddgp-said", "aria-live": "polite"});
    const again = make("button", {type: "button"}, "Back to the start");
    let timer = 0;
    const redraw = () => {
      const shown = show(read());
      for (const [name, svg] of plots) plot(svg, shown.plots[name]);
      fill(key, shown.heads, shown.rows);
      words.textContent = shown.words;
      root.state = {values: read(), ...shown};
    };
    const act = () => {
      redraw();
      clearTimeout(timer);
      timer = setTimeout(() => (said.textContent = words.textContent), PAUSE);
    };
    for (const [name, spec] of Object.entries(sliders)) built[name] = slider(spec, start[name], act);
    again.addEventListener("click", () => {
      Object.entries(built).forEach(([name, one]) => one.set(start[name]));
      act();
    });
    const frame = make("div", {class: "ddgp-key-frame"}, key);
    root.querySelector("img").replaceWith(
      make("div", {class: "ddgp-sliders"}, ...Object.values(built).map(({element}) => element), again),
      make("div", {class: "ddgp-plots"}, ...plots.map(([, svg]) => svg)),
      words, frame, said,
    );
    let width = 0;
    new ResizeObserver(() => {
      if (root.clientWidth !== width) redraw();
      width = root.clientWidth;
    }).observe(root);
    redraw();
    root.dataset.ready = "";
  }

  return {mount, written};
})();
