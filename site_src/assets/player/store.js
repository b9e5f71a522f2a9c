/**
 * The recording as the player asks for it: shards are loaded when a batch in them is wanted, once, and kept.
 *
 * @typedef {import("./format.js").Shard} Shard
 * @typedef {import("./source.js").Source} Source
 *
 * @typedef {object} RunEntry  of the index
 * @property {string} run
 * @property {string} slug
 * @property {string} label
 * @property {number | null} seed  where several recordings of a label are offered
 * @property {number} fingerprint
 * @property {number} batches
 * @property {number} batches_per_shard
 * @property {number[]} shards  bytes of each
 * @property {{mean: number, threshold: number, full: number}[]} laws  of each layer: the article's τ, and the size
 *   that the index's `full_share` of its updates reach
 * @property {import("./replay.js").Arithmetic | null} arithmetic  of the optimizer; null where it is not replayed
 * @property {string | null} loss  the file with the loss of each batch; null where it was not logged
 *
 * @typedef {object} Series  of one edge over a whole training run; NaN where nothing is loaded yet
 * @property {Float32Array} weights    (batches + 1)
 * @property {Float32Array} updates    (batches)
 * @property {Float32Array} gradients  (batches)
 * @property {number} loaded  shards that are in it
 */

import { DataError, decodeShard } from "./format.js";
import { say } from "./text.js";

const VERSION = 2;
const SERIES_KEPT = 8;
const AT_ONCE = 3; // requests in flight while a whole training run is loaded

/**
 * Load a JSON file.
 * @param {Source} source
 * @param {string} name
 * @param {number} [version]  as for `Source.read`
 */
export async function loadJson(source, name, version) {
  const bytes = await source.read(name, version);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new DataError(say("damaged", { name }));
  }
}

/**
 * Load the index and check that it is one.
 * @param {Source} source
 */
export async function loadIndex(source) {
  const name = "index.json";
  const index = await loadJson(source, name);
  if (index?.format !== "weights-in-motion/player") throw new DataError(say("foreign", { name }));
  if (index.version !== VERSION) throw new DataError(say("version", { name, version: index.version, wanted: VERSION }));
  return named(index);
}

/**
 * Load what there is of one tensor, and put it in place of the graph.
 * @param {any} root  the index
 * @param {Source} source
 * @param {string} slug
 */
export async function loadTensor(root, source, slug) {
  const { geometry: _, ...common } = root;
  return named({ ...common, ...(await loadJson(source, `${slug}/index.json`)), slug });
}

/** Tell recordings of one label apart by their seeds, where several are offered. @param {any} index */
function named(index) {
  const name = (/** @type {RunEntry} */ { label, seed }) => (Number.isInteger(seed) ? say("seeded", { label, seed: Number(seed) }) : label);
  return { ...index, runs: index.runs?.map((/** @type {RunEntry} */ entry) => ({ ...entry, label: name(entry) })) };
}

/** One training run. */
export class Run {
  /**
   * @param {RunEntry} entry
   * @param {Source} source
   */
  constructor(entry, source) {
    this.entry = entry;
    this.source = source;
    /** @type {(Shard | undefined)[]} */
    this.shards = new Array(entry.shards.length);
    /** @type {Map<number, Promise<Shard>>} */
    this.pending = new Map();
    /** @type {Map<number, Series>} */
    this.known = new Map();
    this.loaded = 0;
    /** @type {number[]} of each batch, nats; empty where it was not logged, or is not loaded yet */
    this.loss = [];
    /** Mean and threshold of each layer, by the scale that the reader chose. */
    this.scales = { full: entry.laws.map(({ mean, full }) => ({ mean, threshold: full })), article: entry.laws };
  }

  get batches() {
    return this.entry.batches;
  }

  /** @param {number} batch  counted from 1 */
  place(batch) {
    return Math.floor((batch - 1) / this.entry.batches_per_shard);
  }

  /**
   * Return the updates of a batch, or undefined while they are not loaded.
   * @param {number} batch
   * @returns {Float32Array | undefined}  (edges)
   */
  updates(batch) {
    const shard = this.shards[this.place(batch)];
    const row = shard ? batch - shard.first : 0;
    return shard?.updates.subarray(row * shard.edges, (row + 1) * shard.edges);
  }

  /**
   * Return one edge's numbers at a batch, or undefined while they are not loaded.
   * @param {number} edge
   * @param {number} batch
   */
  at(edge, batch) {
    const shard = this.shards[this.place(batch)];
    if (!shard) return undefined;
    const cell = (batch - shard.first) * shard.edges + edge;
    return { weight: shard.weights[cell + shard.edges], update: shard.updates[cell], gradient: shard.gradients[cell] };
  }

  /**
   * Load the shard of a batch; a failed one can be asked for again.
   * @param {number} batch
   * @returns {Promise<Shard>}
   */
  load(batch) {
    const place = this.place(batch);
    const ready = this.shards[place];
    if (ready) return Promise.resolve(ready);
    let pending = this.pending.get(place);
    if (!pending) {
      pending = this.fetch(place).finally(() => this.pending.delete(place));
      this.pending.set(place, pending);
    }
    return pending;
  }

  /** @param {number} place */
  async fetch(place) {
    const { run, fingerprint, batches_per_shard: size } = this.entry;
    const name = `${run}/${String(place).padStart(3, "0")}.bin`;
    const [bytes] = await Promise.all([this.source.read(name, fingerprint), this.fetchLoss()]);
    const shard = await decodeShard(bytes, { name, fingerprint });
    const wanted = Math.min(size, this.batches - place * size);
    if (shard.first !== place * size + 1 || shard.batches !== wanted) {
      throw new DataError(say("other_batches", { name }));
    }
    this.shards[place] = shard;
    this.loaded++;
    return shard;
  }

  /** Load the loss with the first shard: what is drawn under the line of batches. */
  async fetchLoss() {
    const { loss: name, fingerprint } = this.entry;
    if (name && !this.loss.length) this.loss = await loadJson(this.source, name, fingerprint);
  }

  /**
   * Load everything, nearest to `batch` first.
   * @param {number} batch
   * @param {(first: number) => Promise<any>} load  the part that begins with a batch
   * @param {AbortSignal} signal
   */
  async loadAll(batch, load, signal) {
    const here = this.place(batch);
    const order = this.entry.shards.map((_, place) => place).filter((place) => !this.shards[place]);
    order.sort((a, b) => Math.abs(a - here) - Math.abs(b - here) || a - b);
    const next = async () => {
      for (let place = order.shift(); place !== undefined && !signal.aborted; place = order.shift()) {
        await load(place * this.entry.batches_per_shard + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  }

  /**
   * Return all that is loaded of one edge.
   * @param {number} edge
   * @returns {Series}
   */
  series(edge) {
    const known = this.known.get(edge);
    if (known?.loaded === this.loaded) return known;
    const series = {
      weights: new Float32Array(this.batches + 1).fill(NaN),
      updates: new Float32Array(this.batches).fill(NaN),
      gradients: new Float32Array(this.batches).fill(NaN),
      loaded: this.loaded,
    };
    for (const shard of this.shards) {
      if (!shard) continue;
      const { first, edges } = shard;
      series.weights[first - 1] = shard.weights[edge];
      for (let row = 0, cell = edge; row < shard.batches; row++, cell += edges) {
        series.weights[first + row] = shard.weights[cell + edges];
        series.updates[first - 1 + row] = shard.updates[cell];
        series.gradients[first - 1 + row] = shard.gradients[cell];
      }
    }
    this.known.delete(edge);
    this.known.set(edge, series);
    // The oldest goes first: a Map remembers the order in which its keys came.
    if (this.known.size > SERIES_KEPT) this.known.delete(this.known.keys().next().value);
    return series;
  }
}
