/** Colours and places are those of the films: Python's numbers are the truth. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { shade, signedOpacity, strongest } from "../../site_src/assets/player/colour.js";
import { edgeName, edgeOf, edgeParts, nearestEdge, place } from "../../site_src/assets/player/geometry.js";
import { roundUp } from "../../site_src/assets/player/plots.js";
import { rangeOf, runningMedian } from "../../site_src/assets/player/scrubber.js";
import { Run } from "../../site_src/assets/player/store.js";
import { expected, index, openFolder } from "./fixtures.mjs";

const { layers, geometry, margins } = index;
const [{ laws }] = index.runs;
const all = { share: 1, shown: layers.map(() => true) };

test("every edge of every batch is as opaque as Python says", () => {
  expected.updates.forEach((/** @type {number[]} */ updates, /** @type {number} */ row) => {
    const out = new Float32Array(updates.length);
    const lit = shade(Float32Array.from(updates), layers, laws, all, out);
    out.forEach((signed, edge) => assert.ok(Math.abs(signed - expected.signed[row][edge]) < 1e-4));
    const above = expected.signed[row].filter((/** @type {number} */ signed) => Math.abs(signed) >= 1 - 1e-9).length;
    assert.ok(Math.abs(lit.reduce((sum, count) => sum + count, 0) - above) <= 1); // float32 at the very threshold
  });
});

test("by default one update in two hundred of every layer has the full colour, in every training run", async () => {
  for (const entry of index.runs) {
    const run = new Run(entry, openFolder());
    await run.loadAll(1, (first) => run.load(first), new AbortController().signal);
    const lit = layers.map(() => 0);
    const out = new Float32Array(expected.steps.length);
    for (let batch = 1; batch <= entry.batches; batch++) {
      const view = { share: 1, shown: all.shown };
      shade(run.updates(batch), layers, run.scales.full, view, out).forEach((count, layer) => (lit[layer] += count));
    }
    layers.forEach(({ outputs, inputs }, /** @type {number} */ layer) => {
      const share = lit[layer] / (entry.batches * outputs * inputs);
      // Updates are read to half a percent of τ, and so are those that lie at the limit.
      assert.ok(share > 0.8 * index.full_share && share < 1.25 * index.full_share, `${entry.slug} ${share}`);
    });
  }
});

test("a layer that is not shown is not drawn and not counted", () => {
  const updates = Float32Array.from(expected.updates[0]);
  const out = new Float32Array(updates.length);
  const lit = shade(updates, layers, laws, { share: 1e-9, shown: [true, false, true] }, out);
  assert.equal(lit[1], 0);
  const start = layers[0].outputs * layers[0].inputs;
  assert.ok(out.subarray(start, start + layers[1].outputs * layers[1].inputs).every((signed) => signed === 0));
  assert.ok(lit[0] > 0 && lit[2] > 0);
});

test("the threshold's own cases", () => {
  assert.equal(signedOpacity(2, 1, 4), 1 / 16);
  assert.equal(signedOpacity(0, 1, 4), -1 / 16);
  assert.equal(signedOpacity(99, 1, 4), 1);
  assert.equal(signedOpacity(1, 1, 0), 0);
  assert.equal(signedOpacity(1 - 1e-9, 1, 0), -1);
});

test("the strongest are those that sorting finds", () => {
  const updates = Float32Array.from(expected.updates[9]);
  const ratios = Array.from(updates, (update, edge) => {
    const { layer } = edgeParts(layers, edge);
    return { edge, ratio: (update - laws[layer].mean) / laws[layer].threshold };
  });
  ratios.sort((a, b) => Math.abs(b.ratio) - Math.abs(a.ratio));
  assert.deepEqual(strongest(updates, layers, laws, all.shown, 6), ratios.slice(0, 6));
});

test("at the film's size every edge lies where the film has it", () => {
  const { segments, scale, line, radii } = place(geometry, margins, geometry.width, geometry.height);
  assert.equal(scale, 1);
  assert.equal(line, geometry.line_width);
  assert.deepEqual(radii, geometry.radii);
  expected.segments.flat().forEach((/** @type {number} */ value, /** @type {number} */ at) => {
    assert.ok(Math.abs(segments[at] - value) < 0.002); // the index rounds to thousandths
  });
});

test("at any other size everything stays within the picture", () => {
  for (const [width, height] of [[150, 400], [390, 300], [900, 500], [2000, 2000]]) {
    const { segments } = place(geometry, margins, width, height);
    for (let at = 0; at < segments.length; at += 2) {
      assert.ok(segments[at] > 0 && segments[at] < width);
      assert.ok(segments[at + 1] > 0 && segments[at + 1] < height);
    }
  }
});

test("names lead to edges and back", () => {
  expected.steps.forEach((/** @type {number} */ _, /** @type {number} */ edge) => {
    assert.equal(edgeOf(layers, edgeName(layers, edge)), edge);
  });
  const [{ inputs }] = layers;
  assert.equal(edgeName(layers, 2 * inputs + 5), "l3.2.5");
  for (const name of ["", "l3", "l3.0", "l9.0.0", "l4.99.0", "l4.0.10", "l4.-1.0", "l4.0.0.0", "l4.a.b"]) {
    assert.equal(edgeOf(layers, name), -1, name);
  }
});

test("a point means the most opaque edge within reach, and nothing beyond it", () => {
  const places = place(geometry, margins, geometry.width, geometry.height);
  const signed = new Float32Array(expected.steps.length).fill(0.01);
  const wanted = 37;
  signed[wanted] = -0.9;
  const [x1, y1, x2, y2] = places.segments.subarray(4 * wanted, 4 * wanted + 4);
  assert.equal(nearestEdge(places, (x1 + x2) / 2, (y1 + y2) / 2 + 3, signed, 6), wanted);
  assert.equal(nearestEdge(places, 5, 5, signed, 6), -1);
  signed[wanted] = 0;
  assert.notEqual(nearestEdge(places, (x1 + x2) / 2, (y1 + y2) / 2, signed, 6), wanted);
});

test("scales are round, medians are medians", () => {
  assert.deepEqual([0.0011, 0.002, 3, 7, 99].map(roundUp), [0.002, 0.002, 5, 10, 100]);
  assert.deepEqual(runningMedian([5, 1, 4, 2, 3], 3), [3, 4, 2, 3, 2.5]);
  assert.deepEqual(runningMedian([2, 1], 25), [1.5, 1.5]);
  const values = Array.from({ length: 200 }, (_, place) => (place * place * 7919) % 31); // with many ties
  const literal = values.map((_, place) => {
    const part = values.slice(Math.max(place - 12, 0), place + 13).sort((a, b) => a - b);
    return (part[(part.length - 1) >> 1] + part[part.length >> 1]) / 2;
  });
  assert.deepEqual(runningMedian(values, 25), literal);
});

test("losses are drawn between zero and the furthest of all curves, on either side", () => {
  assert.deepEqual(rangeOf([[2.5, 0.5], [1, 3]]), [0, 3]);
  assert.deepEqual(rangeOf([[-2, -7], [-9]]), [-9, 0]);
  assert.deepEqual(rangeOf([[-2, 4], []]), [-2, 4]);
  for (const nothing of [[], [[]], [[0, 0]]]) assert.deepEqual(rangeOf(nothing), [0, 1]);
});
