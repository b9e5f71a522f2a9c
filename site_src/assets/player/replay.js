/**
 * What another optimizer would have made of the recorded gradients: the filter is turned, the gradients stay. The
 * arithmetic is torch.optim's, as in report/analysis/replay.py.
 *
 * @typedef {import("./store.js").Shard} Shard
 *
 * @typedef {object} Arithmetic
 * @property {number} momentum      decay of the running sum of gradients
 * @property {boolean} averaged     whether the sum is a mean that is corrected for its start, as Adam's
 * @property {number | null} decay  of the mean square that the sum is divided by; null where there is none
 * @property {number} epsilon
 * @property {number} weight_decay  share of a weight, in learning rates, that it loses in each batch
 * @property {number | number[]} rate  learning rate, or that of each batch
 *
 * @typedef {object} Choice
 * @property {"adam" | "sgd"} kind
 * @property {number} momentum  0 to 0.99
 */

import { sizeOf } from "./colour.js";
import { Run } from "./store.js";
import { say } from "./text.js";

const USUAL = {
  adam: { averaged: true, decay: 0.999, epsilon: 1e-8, weight_decay: 0, rate: 0.001 },
  sgd: { averaged: false, decay: null, epsilon: 0, weight_decay: 0, rate: 0.01 },
};
const SAMPLE = 20_000; // updates of a layer that decide its threshold

/**
 * Return an optimizer's arithmetic: as that of the training run if it is of the kind, else of another, else as usual.
 * @param {Choice} choice
 * @param {(Arithmetic | null)[]} known  of training runs, in order of preference
 * @returns {Arithmetic}
 */
export function arithmeticOf({ kind, momentum }, known) {
  const adam = kind === "adam";
  const found = known.find((how) => how && how.averaged === adam && (adam || how.decay === null));
  return { ...(found ?? USUAL[kind]), momentum };
}

/** Carries an optimizer's state from batch to batch, for all edges. */
export class Filter {
  /** @param {Arithmetic} how @param {number} edges */
  constructor(how, edges) {
    this.how = how;
    this.step = 0;
    this.sum = new Float32Array(edges);
    this.square = new Float32Array(edges);
  }

  /**
   * Write the updates of a part's batches.
   * @param {Shard} shard  the part that follows the last one
   * @param {Float32Array} out  (batches · edges)
   */
  run({ gradients, weights, batches, edges }, out) {
    const { momentum, averaged, decay, epsilon, weight_decay: shrink, rate: rates } = this.how;
    const { sum, square } = this;
    const rest = averaged ? 1 - momentum : 1;
    for (let batch = 0, cell = 0; batch < batches; batch++) {
      const rate = typeof rates === "number" ? rates : rates[this.step];
      this.step++;
      const step = averaged ? rate / (1 - momentum ** this.step) : rate;
      const started = averaged && decay !== null ? Math.sqrt(1 - decay ** this.step) : 1;
      for (let edge = 0; edge < edges; edge++, cell++) {
        const gradient = gradients[cell];
        if (Number.isNaN(gradient)) {
          out[cell] = 0; // without a gradient torch leaves the weight and what is remembered of it as they were
          continue;
        }
        const mean = (sum[edge] = momentum * sum[edge] + rest * gradient);
        let update = -step * mean;
        if (decay !== null) {
          const size = (square[edge] = decay * square[edge] + (1 - decay) * gradient * gradient);
          // Of nothing but zeros there is no update, whatever ε is.
          update = mean === 0 ? 0 : update / (Math.sqrt(size) / started + epsilon);
        }
        out[cell] = shrink ? update - rate * shrink * weights[cell] : update;
      }
    }
  }
}

/** A training run as another optimizer would have filtered its gradients; it is shown like any other. */
export class Replayed extends Run {
  /**
   * @param {Run} run
   * @param {Choice} choice
   * @param {{layers: import("./colour.js").Layer[], full_share: number, runs: any[]}} index
   * @param {Replayed} [before]  of the same training run: no longer shown, and its memory is used again
   */
  constructor(run, choice, index, before) {
    const value = choice.momentum.toFixed(2);
    const optimizer = choice.kind === "adam" ? say("replay_adam", { value }) : say("replay_sgd", { value });
    super({ ...run.entry, label: say("replayed", { label: run.entry.label, optimizer }) }, run.source);
    this.run = run;
    this.choice = choice;
    this.index = index;
    this.spare = before?.run === run ? before.shards : [];
    const edges = index.layers.reduce((sum, layer) => sum + sizeOf(layer), 0);
    const known = [run.entry, ...index.runs].map(({ arithmetic }) => arithmetic);
    this.filter = new Filter(arithmeticOf(choice, known), edges);
    this.grow();
  }

  get loss() {
    return this.run.loss;
  }

  set loss(_) {} // it is the recording's

  /** @param {number} batch */
  updates(batch) {
    if (this.run.shards[this.loaded]) this.grow();
    return super.updates(batch);
  }

  /** Load all parts up to one: the filter remembers. @param {number} place */
  async fetch(place) {
    const size = this.entry.batches_per_shard;
    await Promise.all(Array.from({ length: place + 1 }, (_, part) => this.run.load(part * size + 1)));
    this.grow();
    return /** @type {Shard} */ (this.shards[place]);
  }

  /** @param {number} _batch @param {(first: number) => Promise<any>} load @param {AbortSignal} signal */
  loadAll(_batch, load, signal) {
    return super.loadAll(1, load, signal);
  }

  /** Filter what has been loaded since. */
  grow() {
    const start = this.loaded;
    for (let part = this.run.shards[this.loaded]; part; part = this.run.shards[this.loaded]) {
      const { batches, edges } = part;
      const last = this.shards[this.loaded - 1];
      const spare = this.spare[this.loaded];
      const updates = spare?.updates ?? new Float32Array(batches * edges);
      const weights = spare?.weights ?? new Float32Array((batches + 1) * edges);
      this.filter.run(part, updates);
      weights.set(last ? last.weights.subarray(last.batches * edges) : part.weights.subarray(0, edges));
      for (let cell = 0; cell < updates.length; cell++) weights[cell + edges] = weights[cell] + updates[cell];
      this.shards[this.loaded++] = { ...part, updates, weights };
    }
    if (this.loaded > start) this.scales.full = this.index.layers.map((_, layer) => this.measure(layer));
  }

  /**
   * Return mean and threshold of a layer: the recording's, as many times as large as this optimizer makes them in what
   * is loaded. The first batches alone would set another scale than all; what is recorded keeps its own.
   */
  measure(layer) {
    const { mean, threshold } = this.run.scales.full[layer];
    const [ours, recorded] = [this.shards, this.run.shards].map((shards) => this.sample(shards, layer));
    const scaled = recorded.size > 0 ? (threshold * ours.size) / recorded.size : ours.size;
    return { mean: mean + ours.mean - recorded.mean, threshold: scaled };
  }

  /** Return the mean of a layer's updates, and the size that the share in full colour reaches; of evenly spread ones. */
  sample(shards, layer) {
    const sizes = this.index.layers.map(sizeOf);
    const first = sizes.slice(0, layer).reduce((sum, size) => sum + size, 0);
    const parts = shards.slice(0, this.loaded);
    const batches = parts.reduce((sum, part) => sum + part.batches, 0);
    const stride = Math.ceil((batches * sizes[layer]) / SAMPLE);
    const sample = [];
    for (const { updates, batches: rows, edges } of parts) {
      for (let row = 0; row < rows; row += stride) {
        for (let cell = row * edges + first, end = cell + sizes[layer]; cell < end; cell++) {
          if (!Number.isNaN(updates[cell])) sample.push(updates[cell]);
        }
      }
    }
    if (!sample.length) return { mean: 0, size: 0 };
    const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
    const found = Float32Array.from(sample, (value) => Math.abs(value - mean)).sort();
    return { mean, size: found[Math.floor((1 - this.index.full_share) * (found.length - 1))] };
  }
}
