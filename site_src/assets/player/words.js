/**
 * Every sentence and number that the player says of the recording.
 *
 * @typedef {import("./colour.js").Layer} Layer
 * @typedef {import("./runs.js").SignRun} SignRun
 */

import { edgeParts } from "./geometry.js";
import { say } from "./text.js";

/**
 * Return a whole number with its thousands set apart. The browser's own way loads its tables of all languages first,
 * which takes a phone longer than to draw the picture.
 * @param {number} count
 */
export const whole = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/**
 * Return a number with a few significant digits, a real minus, and powers of ten where zeros would hide it. What has
 * more whole digits than that, and no more than four, has all of them.
 * @param {number} value
 * @param {number} [digits]
 */
export function number(value, digits = 3) {
  if (Number.isNaN(value)) return "…";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  const round = Math.round(size);
  if (size >= 1e-3 && round < 1e4) {
    const text = size.toPrecision(digits);
    return sign + (text.includes("e") ? whole(round) : text);
  }
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
  return `${sign}${mantissa} × 10${superscript(exponent)}`;
}

/** @param {number} value */
export const signedNumber = (value) => (value > 0 ? `+${number(value)}` : number(value));

/** @param {string} exponent */
function superscript(exponent) {
  return exponent.replace("+", "").replace(/./g, (letter) => (letter === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(letter)]));
}

/**
 * Return a text that names a number of things.
 * @param {string} key  of its two forms
 * @param {number} count
 * @param {Record<string, string>} [values]
 */
export const counted = (key, count, values) => say(`${key}_${count === 1 ? "one" : "other"}`, { count: whole(count), ...values });

/**
 * Say how many edges are lit, and where most of them are.
 * @param {number[]} lit  of each layer
 * @param {Layer[]} layers
 * @param {boolean[]} shown
 * @param {number} share
 * @param {{edge: number, ratio: number} | undefined} strongest
 * @param {boolean} [known]  whether it is known of any whether it moved
 */
export function litWords(lit, layers, shown, share, strongest, known = true) {
  const total = lit.reduce((sum, count) => sum + count, 0);
  const limit = share === 1 ? say("threshold") : say("share", { share });
  if (!total && !strongest) return say(known ? "lit_still" : "lit_unknown");
  if (!total) {
    const { name } = edgeParts(layers, strongest.edge);
    return say("lit_none", { limit, share: number(Math.abs(strongest.ratio), 2), layer: name });
  }
  const start = counted("lit", total, { limit });
  const most = Math.max(...lit);
  const [layer, ...others] = layers.filter((_, place) => lit[place] === most).map(({ name }) => name);
  const count = whole(most);
  if (shown.filter(Boolean).length === 1) return start;
  if (others.length) return say("lit_equal", { lit: start, layers: [layer, ...others].join(say("comma")), count });
  return most === total ? say("lit_all", { lit: start, layer }) : say("lit_most", { lit: start, layer, count });
}

/**
 * Say what is shown.
 * @param {number} batch
 * @param {number} last
 * @param {{label: string, loss?: number, lit: string}[]} graphs  one, or the two that are compared
 */
export function viewWords(batch, last, graphs) {
  if (graphs.length === 1) return say("view", { batch: batchWords(batch, last, graphs[0].loss), lit: graphs[0].lit });
  const [left, right] = graphs.map(side);
  return say("view_both", { batch: batchWords(batch, last), left, right });
}

/** @param {{label: string, loss?: number, lit: string}} graph */
const side = ({ label, loss, lit }) =>
  loss === undefined ? say("side", { label, lit }) : say("side_loss", { label, lit, loss: number(loss) });

/** @param {number} batch @param {number} last @param {number} [loss]  undefined where none was logged */
export function batchWords(batch, last, loss) {
  const places = { batch: whole(batch), last: whole(last) };
  return loss === undefined ? say("batch_of", places) : say("batch_loss", { ...places, loss: number(loss) });
}

/**
 * Say what a picture is of.
 * @param {string} label
 * @param {number} batch
 * @param {string} [tensor]  its name, where it is no graph
 */
export function pictureWords(label, batch, tensor) {
  const values = { label, batch: whole(batch) };
  return tensor === undefined ? say("picture", values) : say("picture_tensor", { ...values, tensor });
}

/**
 * Return a weight's name: of a tensor that is shown alone with all its indices, of a layer of the graph as a matrix.
 * @param {Layer[]} layers
 * @param {number} edge
 */
export function edgeTitle(layers, edge) {
  const { layer, name, output, input } = edgeParts(layers, edge);
  return name + (layers[layer].shape ? cellIndices(layers, edge) : `[${output}, ${input}]`);
}

/**
 * Return all indices of a weight of a tensor that is shown alone: `[3, 0, 1, 2]`.
 * @param {Layer[]} layers
 * @param {number} edge
 */
export function cellIndices(layers, edge) {
  const { layer, flat } = edgeParts(layers, edge);
  const { shape = [] } = layers[layer];
  let rest = flat;
  const places = [...shape].reverse().map((size) => {
    const place = rest % size;
    rest = Math.floor(rest / size);
    return place;
  });
  return `[${places.reverse().join(", ")}]`;
}

/** @param {Layer[]} layers @param {number} edge */
export function edgePath(layers, edge) {
  const { layer, output, input } = edgeParts(layers, edge);
  const { shape, outputs } = layers[layer];
  if (!shape) return say("edge_path", { from: input, to: output });
  // Two numbers, or one, are in the name already.
  return shape.length > 2 && outputs > 1 ? say("cell_path", { row: output, column: input }) : "";
}

/**
 * Say which same-sign run an update is in.
 * @param {SignRun | null} run
 * @param {number} update
 * @param {number} batch
 * @param {boolean} loaded  whether the batch is
 */
export function runWords(run, update, batch, loaded) {
  if (!run) return say(update === 0 ? "run_none" : loaded ? "not_known" : "not_loaded");
  const { first, last, open } = run;
  const up = run.sign > 0;
  const length = whole(last - first + 1);
  if (first === last && !open) return say(up ? "run_alone_up" : "run_alone_down");
  return say(up ? "run_up" : "run_down", {
    place: whole(batch - first + 1),
    length: open ? say("run_open", { length }) : length,
    first: whole(first),
    last: whole(last),
  });
}

/**
 * Say what an edge did over all that is loaded of a training run.
 * @param {number} moved   batches in which it moved
 * @param {number} loaded  batches that are loaded
 * @param {number} batches  that there are to load
 * @param {number} mean    mean same-sign run, NaN where it never turned
 */
export function historyWords(moved, loaded, batches, mean) {
  const values = {
    span: counted(loaded < batches ? "loaded" : "batches", loaded),
    moved: moved === loaded ? say("history_all") : whole(moved),
    mean: mean.toFixed(1),
  };
  if (!moved) return say("history_still", values);
  return say(Number.isNaN(mean) ? "history_never" : "history_mean", values);
}

/** The names of the pins. */
export const LETTERS = "ABCD";
