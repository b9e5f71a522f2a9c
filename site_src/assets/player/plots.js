/**
 * Draw one weight's history: its value, its updates and its gradients under each other, its same-sign runs shaded.
 *
 * @typedef {import("./store.js").Series} Series
 * @typedef {import("./draw.js").Colours} Colours
 *
 * @typedef {object} Look
 * @property {Colours} colours
 * @property {string} family  typeface
 * @property {number} density device pixels a CSS pixel
 *
 * @typedef {object} Window
 * @property {number} from   first batch
 * @property {number} to     last batch
 * @property {number} batch  the one that is shown now
 * @property {{mean: number, threshold: number}} law  of the layer; the threshold is the reader's
 */

import { runAt, runsBetween } from "./runs.js";
import { say } from "./text.js";
import { number, whole } from "./words.js";

const TYPE = 11; // CSS pixels
const CAPTION = 16; // above each strip
const STRIPS = [
  { name: "weight", height: 40 },
  { name: "update", height: 56 },
  { name: "gradient", height: 40 },
];
const FOOT = 16; // for the numbers of the batches
export const HEIGHT = STRIPS.reduce((sum, { height }) => sum + CAPTION + height, FOOT);

/**
 * Draw a window of batches on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width  CSS pixels
 * @param {Series} series
 * @param {Window} window
 * @param {Look} look
 */
export function drawHistory(canvas, width, series, window, look) {
  const { density, colours, family } = look;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const pixels = [Math.round(width * density), Math.round(HEIGHT * density)];
  // A new size is a new surface, which costs more than the whole drawing.
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  context.font = `${TYPE}px ${family}`;
  const { from, to, batch } = window;
  const step = width / (to - from + 1);
  const x = (/** @type {number} */ at) => (at - from) * step; // left edge of a batch's place
  let top = 0;
  for (const { name, height } of STRIPS) {
    const box = { top: top + CAPTION, height, width, x, step };
    context.fillStyle = colours.ink;
    context.globalAlpha = 0.045;
    context.fillRect(0, box.top, width, height);
    context.globalAlpha = 1;
    let limit = 0;
    if (name === "weight") drawLine(context, series.weights, window, box, colours.ink);
    else {
      const values = name === "update" ? series.updates : series.gradients;
      if (name === "update") shadeRuns(context, values, window, box, colours);
      limit = drawBars(context, values, window, box, colours);
      if (name === "update") drawLimits(context, window, box, limit, colours.ink);
    }
    caption(context, name, limit, series, window, top + TYPE, width, colours.ink);
    drawMissing(context, series.updates, window, box, colours.ink);
    top += CAPTION + height;
  }
  context.fillStyle = colours.ink;
  context.globalAlpha = 0.9;
  context.fillRect(Math.round(x(batch) + step / 2) - 0.5, CAPTION, 1, HEIGHT - CAPTION - FOOT);
  context.globalAlpha = 1;
  const names = [
    { words: whole(Math.max(from, 1)), at: x(Math.max(from, 1)), align: "left" },
    { words: whole(Math.min(to, series.updates.length)), at: x(Math.min(to, series.updates.length) + 1), align: "right" },
  ];
  for (const { words, at, align } of names) {
    context.textAlign = /** @type {CanvasTextAlign} */ (align);
    context.fillText(words, at, HEIGHT - 4);
  }
}

/** Write a strip's name, and on the right what its height stands for. */
function caption(context, name, limit, series, { batch }, y, width, ink) {
  context.fillStyle = ink;
  context.textAlign = "left";
  context.fillText(say(name), 0, y);
  context.textAlign = "right";
  const weight = series.weights[batch];
  const words = name === "weight" ? (Number.isFinite(weight) ? number(weight) : "") : limit ? `± ${number(limit, 2)}` : "0";
  context.fillText(words, width, y);
}

/** Draw the weight after each batch. */
function drawLine(context, weights, { from, to }, { top, height, x, step }, ink) {
  const start = Math.max(from - 1, 0);
  const part = weights.subarray(start, Math.min(to, weights.length - 1) + 1);
  let low = Infinity;
  let high = -Infinity;
  for (const value of part) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const span = high - low || 1;
  context.beginPath();
  let broken = true;
  part.forEach((value, place) => {
    if (Number.isNaN(value)) broken = true;
    else {
      const across = x(start + place) + step / 2;
      const down = top + height - 4 - ((value - low) / span) * (height - 8);
      if (broken) context.moveTo(across, down);
      else context.lineTo(across, down);
      broken = false;
    }
  });
  context.strokeStyle = ink;
  context.lineWidth = 1.5;
  context.stroke();
}

/** Draw a bar a batch, coloured by its sign; return what the half height stands for. */
function drawBars(context, values, { from, to }, { top, height, x, step }, colours) {
  const first = Math.max(from, 1);
  const last = Math.min(to, values.length);
  let largest = 0;
  for (let at = first; at <= last; at++) if (Math.abs(values[at - 1]) > largest) largest = Math.abs(values[at - 1]);
  if (!largest) return 0;
  const limit = roundUp(largest);
  const middle = top + height / 2;
  const wide = Math.max(step * 0.8, 0.75);
  const inset = (step - wide) / 2;
  for (const sign of [1, -1]) {
    context.beginPath();
    for (let at = first; at <= last; at++) {
      const value = values[at - 1];
      if (!(value * sign > 0)) continue;
      // Even the smallest movement shows that it is one, and which way.
      const tall = Math.max((Math.abs(value) / limit) * (height / 2), 0.75);
      context.rect(x(at) + inset, sign > 0 ? middle - tall : middle, wide, tall);
    }
    context.fillStyle = sign > 0 ? colours.increase : colours.decrease;
    context.fill();
  }
  return limit;
}

/** Shade the same-sign runs; the one that the shown batch is in stands out. */
function shadeRuns(context, updates, { from, to, batch }, { top, height, x, step }, colours) {
  const now = runAt(updates, batch);
  for (const { first, last, sign } of runsBetween(updates, Math.max(from, 1), Math.min(to, updates.length))) {
    const here = now !== null && first === now.first;
    context.fillStyle = sign > 0 ? colours.increase : colours.decrease;
    context.globalAlpha = here ? 0.34 : 0.13;
    const left = Math.max(x(first), 0);
    context.fillRect(left, top, x(last + 1) - left - Math.min(step * 0.1, 0.5), height);
    context.globalAlpha = 1;
    if (here) context.fillRect(left, top, x(last + 1) - left, 2);
  }
}

/** Draw where an update begins to count as large. */
function drawLimits(context, { law }, { top, height, width }, limit, ink) {
  context.strokeStyle = ink;
  context.globalAlpha = 0.6;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  for (const value of [law.mean + law.threshold, law.mean - law.threshold]) {
    if (!limit || Math.abs(value) > limit) continue;
    const y = top + height / 2 - (value / limit) * (height / 2);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** Hatch what is not loaded, so that it does not look like rest. */
function drawMissing(context, updates, { from, to }, { top, height, x }, ink) {
  context.beginPath();
  for (let at = Math.max(from, 1); at <= Math.min(to, updates.length); at++) {
    if (!Number.isNaN(updates[at - 1])) continue;
    const start = at;
    while (at < to && at < updates.length && Number.isNaN(updates[at])) at++;
    context.save();
    context.beginPath();
    context.rect(x(start), top, x(at + 1) - x(start), height);
    context.clip();
    context.beginPath();
    for (let place = x(start) - height; place < x(at + 1); place += 6) {
      context.moveTo(place, top + height);
      context.lineTo(place + height, top);
    }
    context.strokeStyle = ink;
    context.globalAlpha = 0.16;
    context.lineWidth = 1;
    context.stroke();
    context.restore();
  }
}

/**
 * Return the next of 1, 2, 5, 10, … times a power of ten: a scale that does not tremble while batches go by.
 * @param {number} value  above 0
 */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => value <= factor * power * (1 + 1e-9));
  return (step ?? 10) * power;
}
