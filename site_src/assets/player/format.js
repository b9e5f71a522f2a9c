/**
 * Read a shard: some batches of one training run. The table in templates/en/_format.md.j2 describes every byte.
 *
 * @typedef {object} LayerHead
 * @property {number} outputs
 * @property {number} inputs
 * @property {number} step   of weights and updates, in units of the weight
 * @property {number} floor  magnitude of the smallest gradient of the training run
 * @property {number} ratio  from one level of a gradient to the next
 *
 * @typedef {object} Shard
 * @property {number} first    first batch, counted from 1
 * @property {number} batches  B
 * @property {number} edges    E, of all layers
 * @property {Float32Array} weights    (B + 1) · E, batch after batch; row 0 is the state before the first batch
 * @property {Float32Array} updates    B · E; 0 is exactly zero, every sign is exact, and NaN is not known
 * @property {Float32Array} gradients  B · E; 0 is exactly zero, every sign is exact, and NaN is none
 */

import { say } from "./text.js";

const MAGIC = "WiMo";
const VERSION = 2;
const HEADER_BYTES = 24;
const LAYER_BYTES = 32;
const UNKNOWN = 2 ** 22; // the code of an update that is not known
const NO_GRADIENT = 2 ** 14; // the code of a gradient that was absent, or not finite
const MOST_BYTES = 2 ** 28; // a damaged header must not ask for all the memory there is

/** A file that is missing, cut short, foreign or damaged; the message is for the reader. */
export class DataError extends Error {}

/**
 * Read the fixed part of a shard and check it against the file's length.
 * @param {ArrayBuffer} buffer
 * @param {string} name  of the file, for messages
 */
export function readHeader(buffer, name = "") {
  const view = new DataView(buffer);
  const size = buffer.byteLength;
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, Math.min(4, size)));
  if (size >= 4 && magic !== MAGIC) throw new DataError(say("foreign", { name }));
  if (size < HEADER_BYTES) throw new DataError(say("short_header", { name, size }));
  const version = view.getUint16(4, true);
  if (version !== VERSION) throw new DataError(say("version", { name, version, wanted: VERSION }));
  const count = view.getUint16(6, true);
  const payload = view.getUint32(20, true);
  const start = HEADER_BYTES + LAYER_BYTES * count;
  const wanted = start + payload;
  if (size !== wanted) throw new DataError(say(size < wanted ? "short" : "long", { name, size, wanted }));
  /** @type {LayerHead[]} */
  const layers = [];
  for (let layer = 0; layer < count; layer++) {
    const at = HEADER_BYTES + LAYER_BYTES * layer;
    layers.push({
      outputs: view.getUint32(at, true),
      inputs: view.getUint32(at + 4, true),
      step: view.getFloat64(at + 8, true),
      floor: view.getFloat64(at + 16, true),
      ratio: view.getFloat64(at + 24, true),
    });
  }
  const batches = view.getUint32(12, true);
  const edges = layers.reduce((sum, { outputs, inputs }) => sum + outputs * inputs, 0);
  if (edges * (4 + 5 * batches) > MOST_BYTES) throw new DataError(say("damaged", { name }));
  return { layers, first: view.getUint32(8, true), batches, edges, fingerprint: view.getUint32(16, true), start };
}

/**
 * @param {Uint8Array} bytes  a zlib stream (RFC 1950), which carries its own checksum
 * @param {string} name
 */
async function inflate(bytes, name) {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new DataError(say("damaged", { name }));
  }
}

/**
 * Decode a whole shard.
 * @param {ArrayBuffer} buffer
 * @param {{name?: string, fingerprint?: number}} [expected]  what the index says of it
 * @returns {Promise<Shard>}
 */
export async function decodeShard(buffer, { name = "", fingerprint } = {}) {
  const head = readHeader(buffer, name);
  if (fingerprint !== undefined && head.fingerprint !== fingerprint) throw new DataError(say("other_run", { name }));
  const raw = await inflate(new Uint8Array(buffer, head.start), name);
  const { batches, edges, first } = head;
  const wanted = edges * (4 + 5 * batches);
  if (raw.length !== wanted) throw new DataError(say("damaged_size", { name, size: raw.length, wanted }));
  const shard = {
    first,
    batches,
    edges,
    weights: new Float32Array((batches + 1) * edges),
    updates: new Float32Array(batches * edges),
    gradients: new Float32Array(batches * edges),
  };
  let at = 0;
  let column = 0;
  for (const layer of head.layers) {
    const own = layer.outputs * layer.inputs;
    unpackUpdates(raw, at, own, column, layer.step, shard);
    unpackGradients(raw, at + own * (4 + 3 * batches), own, column, layer, shard);
    at += own * (4 + 5 * batches);
    column += own;
  }
  return shard;
}

/**
 * Fill one layer's columns of weights and updates.
 * @param {Uint8Array} raw
 * @param {number} at      where the layer's bytes start
 * @param {number} own     edges of the layer
 * @param {number} column  its first edge in the shard
 * @param {number} step
 * @param {Shard} shard
 */
function unpackUpdates(raw, at, own, column, step, { batches, edges, weights, updates }) {
  const view = new DataView(raw.buffer, raw.byteOffset);
  const low = at + 4 * own;
  const middle = low + own * batches;
  const high = middle + own * batches;
  for (let edge = 0; edge < own; edge++) {
    let level = view.getInt32(at + 4 * edge, true);
    let code = 0;
    let place = edge * batches;
    let cell = column + edge;
    let known = true;
    weights[cell] = level * step;
    for (let batch = 0; batch < batches; batch++, place++, cell += edges) {
      const zigzag = raw[low + place] | (raw[middle + place] << 8) | (raw[high + place] << 16);
      code += (zigzag >>> 1) ^ -(zigzag & 1);
      if (code === UNKNOWN) {
        if (batch === 0) weights[cell] = NaN;
        weights[cell + edges] = NaN;
        updates[cell] = NaN;
        known = false;
        continue;
      }
      if (!known) weights[cell] = level * step;
      known = true;
      const whole = code > 0 ? code - 1 : code < 0 ? code + 1 : 0;
      level += whole;
      weights[cell + edges] = level * step;
      // Less than one step, but not nothing: a quarter keeps the sign and stays within the stated error.
      updates[cell] = (whole || Math.sign(code) / 4) * step;
    }
  }
}

/**
 * Fill one layer's columns of gradients.
 * @param {Uint8Array} raw
 * @param {number} at
 * @param {number} own
 * @param {number} column
 * @param {LayerHead} layer
 * @param {Shard} shard
 */
function unpackGradients(raw, at, own, column, { floor, ratio }, { batches, edges, gradients }) {
  const high = at + own * batches;
  /** @type {number[]} */
  const sizes = [];
  for (let edge = 0; edge < own; edge++) {
    let place = edge * batches;
    let cell = column + edge;
    for (let batch = 0; batch < batches; batch++, place++, cell += edges) {
      const zigzag = raw[at + place] | (raw[high + place] << 8);
      if (zigzag === 0) continue;
      const code = (zigzag >>> 1) ^ -(zigzag & 1);
      if (code === NO_GRADIENT) {
        gradients[cell] = NaN;
        continue;
      }
      const level = Math.abs(code) - 1;
      const size = (sizes[level] ??= floor * ratio ** level);
      gradients[cell] = code > 0 ? size : -size;
    }
  }
}
