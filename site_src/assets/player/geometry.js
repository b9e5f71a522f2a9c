/**
 * Where nodes and edges lie in a picture of any size, and which edge is meant by a point in it. The index brings the
 * geometry of network.gif (report/drawing/animation/geometry.py); at its own size the picture is the same to the pixel.
 *
 * @typedef {import("./colour.js").Layer} Layer
 *
 * @typedef {object} Geometry
 * @property {number} width
 * @property {number} height
 * @property {number} line_width
 * @property {number[]} columns   x of each column of nodes
 * @property {number[][]} nodes   y of each column's nodes; node 0 is the lowest
 * @property {number[]} radii
 *
 * @typedef {object} Places
 * @property {number} width
 * @property {number} height
 * @property {number} scale       of type, margins and nodes
 * @property {number} line        width of an edge
 * @property {number[]} columns
 * @property {number[][]} nodes
 * @property {number[]} radii
 * @property {Float32Array} segments  (4 · edges) x and y of the output's end, then of the input's
 */

import { sizeOf } from "./colour.js";

/**
 * Spread the geometry over a picture of `width` × `height` CSS pixels.
 * @param {Geometry} geometry
 * @param {number[]} margins  left, top, right, bottom of the geometry
 * @param {number} width
 * @param {number} height
 * @returns {Places}
 */
export function place(geometry, margins, width, height) {
  const scale = Math.min(Math.max(Math.min(width / geometry.width, Math.sqrt(height / geometry.height)), 0.5), 1.5);
  const [left, top, right, bottom] = margins;
  const wide = geometry.width - left - right;
  const tall = geometry.height - top - bottom;
  const acrossScale = (width - (left + right) * scale) / wide;
  const downScale = (height - (top + bottom) * scale) / tall;
  const columns = geometry.columns.map((x) => left * scale + (x - left) * acrossScale);
  const nodes = geometry.nodes.map((column) => column.map((y) => top * scale + (y - top) * downScale));
  const radii = geometry.radii.map((radius) => Math.max(radius * Math.min(scale, downScale), 1));
  const line = geometry.line_width * Math.max(Math.min(scale, 1), 0.75);
  return { width, height, scale, line, columns, nodes, radii, segments: segmentsOf(columns, nodes) };
}

/** @param {number[]} columns @param {number[][]} nodes */
function segmentsOf(columns, nodes) {
  const count = nodes.slice(1).reduce((sum, outputs, column) => sum + outputs.length * nodes[column].length, 0);
  const segments = new Float32Array(4 * count);
  let at = 0;
  for (let column = 0; column + 1 < columns.length; column++) {
    for (const output of nodes[column + 1]) {
      for (const input of nodes[column]) {
        segments[at++] = columns[column + 1];
        segments[at++] = output;
        segments[at++] = columns[column];
        segments[at++] = input;
      }
    }
  }
  return segments;
}

/**
 * Return the edge that a point means: of those within reach the most opaque, and of equals the nearest.
 * Lines lie closer together than a finger or a mouse can tell apart; what is lit is what the reader sees.
 * @param {Places} places
 * @param {number} x
 * @param {number} y
 * @param {Float32Array} signed  (edges) opacities, 0 where an edge is not drawn
 * @param {number} reach  CSS pixels
 * @returns {number}  −1 where there is none
 */
export function nearestEdge({ segments }, x, y, signed, reach) {
  let found = -1;
  let best = Infinity;
  for (let edge = 0, at = 0; edge < signed.length; edge++, at += 4) {
    if (signed[edge] === 0) continue;
    const distance = distanceTo(segments, at, x, y);
    if (distance > reach) continue;
    const cost = distance / reach - 3 * Math.abs(signed[edge]);
    if (cost < best) {
      best = cost;
      found = edge;
    }
  }
  return found;
}

/** @param {Float32Array} segments @param {number} at @param {number} x @param {number} y */
function distanceTo(segments, at, x, y) {
  const x1 = segments[at];
  const y1 = segments[at + 1];
  const dx = segments[at + 2] - x1;
  const dy = segments[at + 3] - y1;
  const along = Math.min(Math.max(((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1), 0), 1);
  return Math.hypot(x1 + along * dx - x, y1 + along * dy - y);
}

/**
 * Return what an edge is: its layer, the node it comes from and the node it goes to, and its place in the tensor.
 * @param {Layer[]} layers
 * @param {number} edge
 */
export function edgeParts(layers, edge) {
  let rest = edge;
  let layer = 0;
  while (rest >= sizeOf(layers[layer])) rest -= sizeOf(layers[layer++]);
  const { inputs, name, entries } = layers[layer];
  const flat = entries ? entries[rest] : rest;
  return { layer, name, flat, output: Math.floor(flat / inputs), input: flat % inputs };
}

/** Return what an address calls a layer. @param {Layer} layer */
const keyOf = ({ slug, name }) => slug ?? name;

/**
 * Return an edge's name in an address: `l4.3.7` is the weight l4[3, 7], from node 7 to node 3.
 * @param {Layer[]} layers
 * @param {number} edge
 */
export function edgeName(layers, edge) {
  const { layer, output, input } = edgeParts(layers, edge);
  return `${keyOf(layers[layer])}.${output}.${input}`;
}

/**
 * Return the edge of a name, or −1 for a name of none.
 * @param {Layer[]} layers
 * @param {string} text
 */
export function edgeOf(layers, text) {
  const [, name, output, input] = /^(.+)\.(\d+)\.(\d+)$/.exec(text) ?? [];
  let start = 0;
  for (const layer of layers) {
    if (keyOf(layer) === name) {
      if (+output >= layer.outputs || +input >= layer.inputs) return -1;
      const flat = +output * layer.inputs + +input;
      const place = layer.entries ? layer.entries.indexOf(flat) : flat;
      return place < 0 ? -1 : start + place;
    }
    start += sizeOf(layer);
  }
  return -1;
}
