/** All batches on one line, with the loss curve drawn under it: an ordinary range input, so keys and touch work. */

import { make } from "./dom.js";
import { say } from "./text.js";
import { number } from "./words.js";

const HEIGHT = 64; // CSS pixels
const THUMB = 16; // width of the thumb: its centre travels that much less than the input's width
const WINDOW = 25; // batches of the running median

/**
 * Return the running median over a centred window, shorter at the ends.
 * @param {number[]} values
 * @param {number} width  odd
 */
export function runningMedian(values, width) {
  const half = (width - 1) / 2;
  /** @type {number[]} in ascending order, what the window holds */
  const held = [];
  /** @param {number} value @returns {number} how many of those held are smaller */
  const smaller = (value) => {
    let [low, high] = [0, held.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (held[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const enter = (/** @type {number} */ value) => held.splice(smaller(value), 0, value);
  values.slice(0, half).forEach(enter);
  return values.map((_, place) => {
    if (place + half < values.length) enter(values[place + half]);
    if (place > half) held.splice(smaller(values[place - half - 1]), 1);
    return (held[(held.length - 1) >> 1] + held[held.length >> 1]) / 2;
  });
}

/**
 * Return what curves are drawn between: zero is always there, and where nothing else is, so is one.
 * @param {number[][]} curves
 */
export function rangeOf(curves) {
  const [bottom, top] = [Math.min, Math.max].map((further) => curves.flat().reduce((a, b) => further(a, b), 0));
  return [bottom, bottom || top ? top : 1];
}

export class Scrubber {
  /** @param {(batch: number) => void} onBatch */
  constructor(onBatch) {
    this.input = make("input", { type: "range", min: "1", step: "1", class: "wp-range", "aria-label": say("batch") });
    this.input.addEventListener("input", () => onBatch(Number(this.input.value)));
    this.canvas = make("canvas", { class: "wp-loss", "aria-hidden": "true" });
    this.caption = make("span", { class: "wp-loss-caption", "aria-hidden": "true" });
    this.element = make("div", { class: "wp-scrubber" }, this.canvas, this.caption, this.input);
    /** @type {Map<number[], number[]>} */
    this.medians = new Map();
  }

  /**
   * Draw the curves; the first is the one on the left.
   * @param {import("./store.js").Run[]} runs
   * @param {number} last  batch
   * @param {{ink: string, colours: import("./draw.js").Colours, width: number, density: number}} look
   */
  draw(runs, last, { colours, width, density }) {
    this.input.max = String(last);
    if (!width) return;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(HEIGHT * density);
    const context = this.canvas.getContext("2d");
    context.scale(density, density);
    const losses = runs.map(({ loss }) => loss.slice(0, last));
    const [bottom, top] = rangeOf(losses);
    const ends = { bottom: number(bottom, 2), top: number(top, 2) };
    this.caption.textContent = losses.some((loss) => loss.length) ? say("loss_scale", ends) : "";
    const inner = width - THUMB;
    const x = (/** @type {number} */ place) => THUMB / 2 + (last > 1 ? place / (last - 1) : 0.5) * inner;
    const y = (/** @type {number} */ loss) => HEIGHT - 5 - ((loss - bottom) / (top - bottom)) * (HEIGHT - 10);
    const curve = (/** @type {number[]} */ values) => {
      context.beginPath();
      values.forEach((value, place) => context.lineTo(x(place), y(value)));
      context.stroke();
    };
    this.drawLoaded(context, runs[0], last, x, colours.ink);
    losses.forEach((loss, place) => {
      context.strokeStyle = colours.ink;
      context.lineWidth = 0.75;
      context.globalAlpha = place ? 0 : 0.3;
      if (!place) curve(loss);
      context.globalAlpha = 1;
      context.lineWidth = 1.75;
      context.setLineDash(place ? [2, 3] : []);
      curve(this.median(runs[place].loss).slice(0, last));
    });
  }

  /**
   * Show along the foot what is loaded.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./store.js").Run} run
   * @param {number} last
   * @param {(place: number) => number} x
   * @param {string} ink
   */
  drawLoaded(context, run, last, x, ink) {
    const size = run.entry.batches_per_shard;
    context.fillStyle = ink;
    context.globalAlpha = 0.35;
    run.shards.forEach((shard, place) => {
      const start = place * size;
      if (!shard || start >= last) return;
      const end = Math.min(start + size, last) - 1;
      context.fillRect(x(start), HEIGHT - 2, Math.max(x(end) - x(start), 1), 2);
    });
    context.globalAlpha = 1;
  }

  /** @param {number[]} loss */
  median(loss) {
    let found = this.medians.get(loss);
    if (!found) this.medians.set(loss, (found = runningMedian(loss, WINDOW)));
    return found;
  }

  /** @param {number} batch @param {string} words */
  show(batch, words) {
    this.input.value = String(batch);
    this.input.setAttribute("aria-valuetext", words);
  }
}
