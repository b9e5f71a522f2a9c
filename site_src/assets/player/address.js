/**
 * What the reader has chosen, as text after the # of the address, and back.
 *
 * @typedef {import("./colour.js").Layer} Layer
 *
 * @typedef {object} State
 * @property {number} batch
 * @property {number[]} edges     pinned, up to four
 * @property {string} run         slug of the training run on the left
 * @property {string | null} compare  slug of the one beside it
 * @property {import("./replay.js").Choice | null} replay  the optimizer that the left one's gradients are sent through
 * @property {boolean[]} shown    which layers are drawn
 * @property {"full" | "article"} scale  which size has the full colour
 * @property {number} threshold   how many times that size counts as large
 * @property {number} speed       batches a second
 *
 * @typedef {object} Limits
 * @property {string} tensor   that is shown alone, by slug; "" of the graph
 * @property {string[]} tensors  that can be
 * @property {Layer[]} layers
 * @property {Map<string, number>} batches  of each training run, by slug
 * @property {number[]} speeds
 * @property {State} initial
 */

import { CALM_SPEED } from "./clock.js";
import { edgeName, edgeOf } from "./geometry.js";
import { say } from "./text.js";

export const MOST_PINS = 4;
/** @type {("full" | "article")[]} */
export const SCALES = ["full", "article"];
const SPEEDS = [1, 2, 5, 10, 25, 60]; // batches a second
export const THRESHOLDS = { min: 0.05, max: 2, step: 0.05 };

/**
 * Return what a view can be, and how it is at the beginning.
 * @param {any} index
 * @returns {Limits}
 */
export function limitsOf(index) {
  const usual = Math.round(1000 / index.milliseconds);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    tensor: index.slug ?? "",
    tensors: slugsOf(index),
    layers: index.layers,
    batches: new Map(index.runs.map((/** @type {any} */ { slug, batches }) => [slug, batches])),
    speeds: [...new Set([...SPEEDS, usual])].sort((a, b) => a - b),
    initial: {
      batch: index.opening_batch,
      edges: [],
      run: index.main,
      compare: null,
      replay: null,
      shown: index.layers.map(() => true),
      scale: "full",
      threshold: 1,
      speed: calm ? CALM_SPEED : usual,
    },
  };
}

/** @param {any} index @returns {string[]} */
const slugsOf = ({ tensors }) => (tensors ?? []).map((/** @type {{slug: string}} */ { slug }) => slug);

/**
 * Return which tensor an address asks for; "" for the graph, and where it asks for none that there is.
 * @param {string} hash
 * @param {any} index  the first one
 */
export function tensorOf(hash, index) {
  const [, asked] = /[#&]tensor=([^&]*)/.exec(hash) ?? [];
  return asked !== undefined && slugsOf(index).includes(asked) ? asked : index.geometry ? "" : index.opening;
}

/**
 * Return the last batch that a view can show: both graphs of a comparison must have it.
 * @param {{run: string, compare: string | null}} state
 * @param {Map<string, number>} batches
 */
export function lastBatch({ run, compare }, batches) {
  const other = compare === null ? Infinity : (batches.get(compare) ?? Infinity);
  return Math.min(batches.get(run) ?? Infinity, other);
}

/**
 * Write the state as text; what is as at the beginning is left out, except the batch.
 * @param {State} state
 * @param {Limits} limits
 */
export function formatAddress(state, { layers, initial, tensor }) {
  const parts = [...(tensor ? [`tensor=${tensor}`] : []), `batch=${state.batch}`];
  if (state.edges.length) parts.push(`edge=${listed(state.edges.map((edge) => edgeName(layers, edge)))}`);
  if (state.run !== initial.run) parts.push(`run=${encodeURIComponent(state.run)}`);
  if (state.compare !== null) parts.push(`compare=${encodeURIComponent(state.compare)}`);
  if (state.replay) parts.push(`replay=${state.replay.kind}:${state.replay.momentum}`);
  if (state.shown.includes(false)) {
    parts.push(`layers=${listed(layers.filter((_, place) => state.shown[place]).map(({ name }) => name))}`);
  }
  if (state.scale !== initial.scale) parts.push(`scale=${state.scale}`);
  if (state.threshold !== initial.threshold) parts.push(`threshold=${state.threshold}`);
  if (state.speed !== initial.speed) parts.push(`speed=${state.speed}`);
  return `#${parts.join("&")}`;
}

/**
 * Read the text after the #. A text without "=" is a heading's anchor or nothing, and none of our business: null.
 * @param {string} hash  with or without the #
 * @param {Limits} limits
 * @returns {{state: State, problem: string | null} | null}  the state is the initial one when there is a problem
 */
export function parseAddress(hash, limits) {
  const text = hash.replace(/^#/, "");
  if (!text.includes("=")) return null;
  const state = { ...limits.initial };
  try {
    for (const part of text.split("&")) {
      const [key, value = ""] = part.split("=", 2);
      const read = Object.hasOwn(READERS, key) && READERS[key];
      if (!read) throw wrong("unknown_key", key);
      read(state, value, limits);
    }
    if (state.compare === state.run && !state.replay) throw wrong("same_run", state.run);
    const last = lastBatch(state, limits.batches);
    if (state.batch > last) throw new Wrong(say("late_batch", { value: state.batch, last }));
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    const initial = { ...limits.initial };
    return { state: initial, problem: say("address", { problem: error.message }) };
  }
  return { state, problem: null };
}

/** @param {string[]} names  which may hold what an address gives a meaning to */
const listed = (names) => names.map(encodeURIComponent).join(",");

/** An address that asks for what does not exist. */
class Wrong extends Error {}

/** @param {string} key  of what is said of it @param {string} value */
const wrong = (key, value) => new Wrong(say(key, { value: shorten(value) }));

/** @type {Record<string, (state: State, value: string, limits: Limits) => void>} */
const READERS = {
  tensor(_state, value, { tensors }) {
    if (!tensors.includes(value)) throw wrong("unknown_tensor", value);
  },
  batch(state, value) {
    if (!/^[1-9]\d{0,8}$/.test(value)) throw wrong("unknown_batch", value);
    state.batch = Number(value);
  },
  edge(state, value, { layers }) {
    const names = value.split(",").map(decode);
    state.edges = [...new Set(names.map((name) => edgeOf(layers, name)))];
    const unknown = names.find((name) => edgeOf(layers, name) < 0);
    if (unknown !== undefined) throw wrong("unknown_edge", unknown);
    if (state.edges.length > MOST_PINS) throw new Wrong(say("many_pins", { count: MOST_PINS }));
  },
  run(state, text, { batches }) {
    const value = decode(text);
    if (!batches.has(value)) throw wrong("unknown_run", value);
    state.run = value;
  },
  compare(state, text, { batches }) {
    const value = decode(text);
    if (!batches.has(value)) throw wrong("unknown_run", value);
    state.compare = value;
  },
  replay(state, value) {
    const [, kind, momentum] = /^(adam|sgd):(0(?:\.\d{1,2})?)$/.exec(value) ?? [];
    if (!kind) throw wrong("unknown_replay", value);
    state.replay = { kind: /** @type {"adam" | "sgd"} */ (kind), momentum: Number(momentum) };
  },
  layers(state, value, { layers }) {
    const names = value.split(",").map(decode);
    const unknown = names.find((name) => !layers.some((layer) => layer.name === name));
    if (unknown !== undefined) throw wrong("unknown_layer", unknown);
    state.shown = layers.map(({ name }) => names.includes(name));
  },
  scale(state, value) {
    if (!SCALES.some((scale) => scale === value)) throw wrong("unknown_scale", value);
    state.scale = /** @type {"full" | "article"} */ (value);
  },
  threshold(state, value) {
    const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
    if (!(number >= THRESHOLDS.min && number <= THRESHOLDS.max)) {
      const { min, max } = THRESHOLDS;
      throw new Wrong(say("unknown_threshold", { value: shorten(value), min, max }));
    }
    state.threshold = number;
  },
  speed(state, value, { speeds }) {
    if (!speeds.includes(Number(value))) throw wrong("unknown_speed", value);
    state.speed = Number(value);
  },
};

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string} text */
function shorten(text) {
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
