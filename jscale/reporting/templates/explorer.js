/* The budget explorer: shows N*, D* and the output for the compute, tokens served and price that
   the sliders select, by interpolation on a grid that Python computed.

   The grid spans budgets and r = tokens served / tokens that training alone would take. Between
   its points, values are interpolated by cubics in ln C and ln(1 + r/3); at its points they are
   Python's own. A fragment sets the sliders: report.html#C=1e22&served=1e12&price=2 */
(function () {
"use strict";

const grid = JSON.parse(document.getElementById("explorer-data").textContent);
const part = (name) => document.getElementById("explorer-" + name);
const last = (list) => list[list.length - 1];
const within = (x, low, high) => Math.min(Math.max(x, low), high);

// ── Numbers between the grid's points ──────────────────────────────────────────────────────

const budgets = grid.budgets.map(Math.log);
const loads = grid.ratios.map((r) => Math.log1p(r / 3));
const ways = Object.keys(grid.values.N);  // estimate, low, high

/* Lagrange's weights of the four points of xs around x, as pairs [place, weight]. */
function weights(xs, x) {
  const below = xs.findLastIndex((at) => at <= x);
  const first = within(below - 1, 0, xs.length - 4);
  const four = [0, 1, 2, 3].map((i) => first + i);
  return four.map((a) => [a, four.filter((b) => b !== a)
    .reduce((w, b) => w * (x - xs[b]) / (xs[a] - xs[b]), 1)]);
}

/* The weighted sum of values, in logarithms where all are positive; NaN where one is missing. */
function mixed(pairs) {
  const used = pairs.filter(([, weight]) => weight !== 0);
  if (used.some(([value]) => value === null)) return NaN;
  const logs = used.every(([value]) => value > 0);
  const sum = used.reduce((s, [value, weight]) => s + weight * (logs ? Math.log(value) : value), 0);
  return logs ? Math.exp(sum) : sum;
}

/* The interpolated values for a budget and tokens served; null beyond the grid. */
function look(C, served) {
  const rows = weights(budgets, Math.log(C));
  const tokens = mixed(rows.map(([i, w]) => [grid.tokens[i], w]));
  const load = Math.log1p(served / tokens / 3);
  if (!(load <= last(loads) * (1 + 1e-12))) return null;
  const columns = weights(loads, snapped(load));
  const at = (table) => mixed(rows.flatMap(([i, w]) =>
    columns.map(([j, v]) => [table[i][j], w * v])));
  const result = {};
  for (const [name, tables] of Object.entries(grid.values)) {
    result[name] = Object.fromEntries(ways.map((way) => [way, at(tables[way])]));
  }
  result.atBound = Math.max(...rows.filter(([, w]) => w).flatMap(([i]) =>
    columns.filter(([, v]) => v).map(([j]) => grid.at_bound[i][j])));
  return result;
}

/* A load that equals a point of the grid up to rounding, as that point. */
function snapped(load) {
  const near = loads.find((at) => Math.abs(at - load) < 1e-12);
  return near === undefined ? load : near;
}

// ── Numbers as text, as jscale/plots/words.py writes them ──────────────────────────────────

function number(value, digits = 4) {
  if (!Number.isFinite(value)) return "n/a";
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) return String(rounded).replace("-", "−");
  let [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  if (mantissa.includes(".")) mantissa = mantissa.replace(/\.?0+$/, "");
  const raised = [...String(Number(exponent))].map((c) =>
    c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("");
  return (mantissa === "1" ? "" : mantissa.replace("-", "−") + "×") + "10" + raised;
}

/* A value and its interval, with enough digits to show the interval's width. */
function span({ estimate, low, high }) {
  const width = Math.abs(high - low);
  const size = Math.max(Math.abs(low), Math.abs(high), Math.abs(estimate));
  let digits = 3;
  if (width > 0 && Number.isFinite(width)) {
    digits = Math.min(Math.max(3, Math.ceil(Math.log10(size / width)) + 2), 12);
  }
  return [estimate, low, high].map((x) => number(x, digits));
}

// ── The setting, and how it is shown ───────────────────────────────────────────────────────

const slider = { C: part("compute"), served: part("served"), price: part("price") };
const state = { C: grid.budgets[grid.start], served: 0, price: grid.price };
const dollars = (C) => C * state.price / (3600 * grid.flops * grid.utilisation);
const round = (x) => Number(x.toPrecision(2));
// The lowest position of the slider of tokens served means none.
const none = Number(slider.served.min);

/* Sliders hold logarithms to base ten; the state may lie between their steps. */
function set() {
  slider.C.value = Math.log10(state.C);
  slider.served.value = state.served > 0 ? Math.log10(state.served) : none;
  slider.price.value = Math.log10(state.price);
}

function say(name, text) {
  part(name + "-value").textContent = text;
  if (part(name)) part(name).setAttribute("aria-valuetext", text);
}

/* Shows one quantity: its numbers, and its band within the range of the whole grid. */
function card(name, values) {
  const [best, low, high] = values ? span(values) : ["—", "—", "—"];
  part(name + "-best").textContent = best;
  part(name + "-interval").textContent = values ? `${low} to ${high}` : "not computed";
  const tables = grid.values[part(name).dataset.values];
  const every = ways.flatMap((way) => tables[way].flat()).filter((x) => x !== null);
  const scale = Math.min(...every) > 0 ? Math.log : (x) => x;
  const [from, to] = [scale(Math.min(...every)), scale(Math.max(...every))];
  const share = (x) => within(100 * (scale(x) - from) / (to - from || 1), 0, 100);
  const [track] = part(name).getElementsByClassName("track");
  track.hidden = !values;
  if (!values) return;
  const [band, dot] = track.children;
  band.style.left = share(values.low) + "%";
  band.style.right = 100 - share(values.high) + "%";
  dot.style.left = share(values.estimate) + "%";
}

function show() {
  const values = look(state.C, state.served);
  say("compute", number(state.C) + " FLOPs");
  say("served", state.served > 0 ? number(state.served) + " tokens" : "none");
  say("price", `$${number(state.price)} per hour, $${number(dollars(state.C), 3)} in total`);
  card("N", values && values.N);
  card("D", values && values.D);
  card("M", values && values["D/N"]);
  card("output", values && values.output);
  part("summary").textContent = values ? summary(values) : "Serving this many tokens leaves " +
    `almost nothing of the budget for training: the grid ends at ${last(grid.ratios)} times the ` +
    "tokens that training alone would take. Choose a larger budget, or serve fewer tokens.";
  part("doubt").textContent = values ? doubt(values) : "";
  part("link").href = `#C=${state.C}&served=${state.served}&price=${state.price}`;
}

function summary({ N, D, output }) {
  const unit = grid.unit ? " " + grid.unit : "";
  const training = 6 * N.estimate * D.estimate;
  const serving = 2 * N.estimate * state.served;
  const share = number(100 * serving / state.C, 2);
  const shares = state.served > 0 ? `, of which serving takes ${share}%` : "";
  const times = training / grid.largest;
  return `With ${number(state.C)} FLOPs ($${number(dollars(state.C), 3)})${shares}, train ` +
    `${span(N)[0]} parameters on ${span(D)[0]} tokens. Predicted ${grid.output}: ` +
    `${span(output)[0]}${unit}. Training takes ${number(times, 3)} times the largest fitted ` +
    `compute${times > grid.far * (1 + 1e-9) ? ": this is an extrapolation." : "."}`;
}

function doubt({ atBound }) {
  if (atBound <= 0.01) return "";
  return `In ${number(100 * atBound, 2)}% of the draws the law has no interior optimum here, and ` +
    "the intervals contain a bound of the search instead.";
}

// ── Controls ───────────────────────────────────────────────────────────────────────────────

const limits = {
  C: [grid.budgets[0], last(grid.budgets)],
  served: [0, 10 ** Number(slider.served.max)],
  price: grid.prices,
};

/* A change of price changes the compute if the money is to stay fixed. */
function reprice(price) {
  const money = dollars(state.C);
  state.price = price;
  if (part("hold").checked) state.C = within(state.C * money / dollars(state.C), ...limits.C);
}

slider.C.addEventListener("input", () => {
  state.C = within(round(10 ** slider.C.value), ...limits.C);
  show();
});
slider.served.addEventListener("input", () => {
  const at = Number(slider.served.value);
  state.served = at <= none ? 0 : round(10 ** at);
  show();
});
slider.price.addEventListener("input", () => {
  reprice(round(10 ** slider.price.value));
  slider.C.value = Math.log10(state.C);
  show();
});

/* Reads the numbers in the fragment; missing or invalid ones leave the setting unchanged. */
function read() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(state)) {
    const text = (fragment.get(name) || "").replace(" ", "+");  // URLSearchParams reads + as a space
    const value = Number(text);
    if (text && Number.isFinite(value)) state[name] = within(value, ...limits[name]);
  }
  set();
  show();
}

part("form").hidden = false;
addEventListener("hashchange", read);
read();
})();
