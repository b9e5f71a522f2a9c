/**
 * Every sentence and number that the player says of the recording.
 *
 * @typedef {import("./colour.js").Layer} Layer
 * @typedef {import("./runs.js").SignRun} SignRun
 */

import { edgeParts } from "./geometry.js";

/**
 * Return a whole number with its thousands set apart. The browser's own way loads its tables of all languages first,
 * which takes a phone longer than to draw the picture.
 * @param {number} count
 */
export const whole = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/**
 * Return a number with a few significant digits, a real minus, and powers of ten where zeros would hide it.
 * @param {number} value
 * @param {number} [digits]
 */
export function number(value, digits = 3) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size >= 1e-3 && size < 1e4) return sign + size.toPrecision(digits);
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
  return `${sign}${mantissa} × 10${superscript(exponent)}`;
}

/** @param {number} value */
export const signedNumber = (value) => (value > 0 ? `+${number(value)}` : number(value));

/** @param {string} exponent */
function superscript(exponent) {
  return exponent.replace("+", "").replace(/./g, (letter) => (letter === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(letter)]));
}

/** @param {number} count */
export function ordinal(count) {
  const last = count % 100;
  const ending = last >= 11 && last <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${whole(count)}${ending}`;
}

/** @param {number} count @param {string} one @param {string} [many] */
export const plural = (count, one, many = `${one}s`) => `${whole(count)} ${count === 1 ? one : many}`;

/**
 * Say how many edges are lit, and where most of them are.
 * @param {number[]} lit  of each layer
 * @param {Layer[]} layers
 * @param {boolean[]} shown
 * @param {number} share
 * @param {{edge: number, ratio: number} | undefined} strongest
 */
export function litWords(lit, layers, shown, share, strongest) {
  const total = lit.reduce((sum, count) => sum + count, 0);
  const limit = share === 1 ? "the threshold" : `${share} of the threshold`;
  if (!total && !strongest) return "no edge moves";
  if (!total) {
    const { name } = edgeParts(layers, strongest.edge);
    return `no edge above ${limit}; the largest is ${number(Math.abs(strongest.ratio), 2)} of the threshold, in ${name}`;
  }
  const start = `${plural(total, "edge")} above ${limit}`;
  const most = Math.max(...lit);
  const where = layers.filter((_, place) => lit[place] === most).map(({ name }) => name);
  if (shown.filter(Boolean).length === 1) return start;
  if (where.length > 1) return `${start}, as many in ${where.slice(0, -1).join(", ")} as in ${where.at(-1)}`;
  return most === total ? `${start}, all in ${where[0]}` : `${start}, most in ${where[0]} (${most})`;
}

/**
 * Say what is shown.
 * @param {number} batch
 * @param {number} batches
 * @param {{label: string, loss?: number, lit: string}[]} graphs  one, or the two that are compared
 */
export function viewWords(batch, batches, graphs) {
  if (graphs.length === 1) return `${batchWords(batch, batches, graphs[0].loss)}: ${graphs[0].lit}.`;
  return [`Batch ${whole(batch)} of ${whole(batches)}.`, ...graphs.map(side)].join(" ");
}

/** @param {{label: string, loss?: number, lit: string}} graph */
const side = ({ label, loss, lit }) => `${label}: ${loss === undefined ? "" : `loss ${number(loss)}, `}${lit}.`;

/** @param {number} batch @param {number} batches @param {number} [loss]  undefined where none was logged */
export const batchWords = (batch, batches, loss) =>
  `Batch ${whole(batch)} of ${whole(batches)}${loss === undefined ? "" : `, loss ${number(loss)}`}`;

/** @param {string} label @param {number} batch */
export const pictureWords = (label, batch) => `Network graph, ${label}, batch ${whole(batch)}`;

/** @param {Layer[]} layers @param {number} edge */
export function edgeTitle(layers, edge) {
  const { name, output, input } = edgeParts(layers, edge);
  return `${name}[${output}, ${input}]`;
}

/** @param {Layer[]} layers @param {number} edge */
export function edgePath(layers, edge) {
  const { output, input } = edgeParts(layers, edge);
  return `from node ${input} to node ${output}`;
}

/**
 * Say which same-sign run an update is in.
 * @param {SignRun | null} run
 * @param {number} update
 * @param {number} batch
 */
export function runWords(run, update, batch) {
  if (!run) return update === 0 ? "Did not move in this batch." : "Not loaded yet.";
  const way = run.sign > 0 ? "up" : "down";
  const length = run.last - run.first + 1;
  const least = run.open ? "at least " : "";
  const place = batch - run.first + 1;
  if (length === 1 && !run.open) return `Moves ${way}, in this batch alone.`;
  const span = `batches ${whole(run.first)}–${whole(run.last)}`;
  return `Moves ${way}: ${ordinal(place)} batch in the same direction, of ${least}${length} (${span}).`;
}

/**
 * Say what an edge did over all that is loaded of a training run.
 * @param {number} moved   batches in which it moved
 * @param {number} loaded  batches that are loaded
 * @param {number} batches  of the whole run
 * @param {number} mean    mean same-sign run, NaN where it never turned
 */
export function historyWords(moved, loaded, batches, mean) {
  const count = plural(loaded, "batch", "batches");
  const span = loaded < batches ? `In the ${count} loaded so far` : `In ${count}`;
  if (!moved) return `${span} it never moved.`;
  const runs = Number.isNaN(mean) ? "never turned round" : `mean run ${mean.toFixed(1)} batches`;
  return `${span} it moved in ${moved === loaded ? "all" : whole(moved)}; ${runs}.`;
}

/** The names of the pins. */
export const LETTERS = "ABCD";

export const KEYS_HELP =
  "Keys, once something here has the focus: space plays and pauses; ← and → step by one batch, with Shift by ten; " +
  "Page Up goes on by a hundred, Page Down back; Home and End go to the first and the last batch; Escape puts away an edge that is not pinned.";
