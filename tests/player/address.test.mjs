/** Everything that is chosen survives the way through an address; a wrong one says so and shows the beginning. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../../site_src/assets/player/address.js";
import { edgeOf } from "../../site_src/assets/player/geometry.js";
import { index } from "./fixtures.mjs";

const { layers } = index;
/** @type {import("../../site_src/assets/player/address.js").Limits} */
const limits = {
  layers,
  batches: new Map(index.runs.map((/** @type {any} */ { slug, batches }) => [slug, batches])),
  speeds: [1, 2, 5, 10, 25],
  initial: {
    batch: 4,
    edges: [],
    run: "adam-b1-0.9",
    compare: null,
    shown: [true, true, true],
    threshold: 1,
    speed: 10,
  },
};

const full = {
  batch: 31,
  edges: [edgeOf(layers, "l4.3.7"), edgeOf(layers, "l3.0.5")],
  run: "sgd-with-momentum-0.9",
  compare: "adam-b1-0",
  shown: [true, false, true],
  threshold: 0.35,
  speed: 25,
};

test("a whole state comes back from its address", () => {
  const address = formatAddress(full, limits);
  assert.equal(
    address,
    "#batch=31&edge=l4.3.7,l3.0.5&run=sgd-with-momentum-0.9&compare=adam-b1-0&layers=l3,l5&threshold=0.35&speed=25",
  );
  assert.deepEqual(parseAddress(address, limits), { state: full, problem: null });
  assert.deepEqual(parseAddress(formatAddress(limits.initial, limits), limits), { state: limits.initial, problem: null });
});

test("every single choice comes back on its own", () => {
  for (const [key, value] of Object.entries(full)) {
    const state = { ...limits.initial, [key]: value };
    assert.deepEqual(parseAddress(formatAddress(state, limits), limits), { state, problem: null });
  }
});

test("the anchor of a heading, or none, is no address of the player's", () => {
  for (const hash of ["", "#", "#try", "#what-is-behind-it"]) assert.equal(parseAddress(hash, limits), null);
});

test("whatever is wrong gives the view of the beginning, and is named", () => {
  const last = limits.batches.get("adam-b1-0.9");
  const wrong = {
    "#batch=0": /no batch “0”/,
    "#batch=-3": /no batch “-3”/,
    "#batch=2.5": /no batch/,
    "#batch=": /no batch “”/,
    [`#batch=${Number(last) + 1}`]: /has no batch 61; the last is 60/,
    "#batch=50&compare=adam-b1-0": /has no batch 50; the last is 40/,
    "#edge=l9.0.0": /no edge “l9\.0\.0”/,
    "#edge=l4.3.7,": /no edge “”/,
    "#edge=l3.0.0,l3.0.1,l3.0.2,l3.0.3,l3.0.4": /pins at most 4/,
    "#compare=lion": /no training run “lion”/,
    "#compare=adam-b1-0.9": /with itself/,
    "#run=%E0%A4%A": /no training run/,
    "#layers=l2": /no layer “l2”/,
    "#layers=": /no layer “”/,
    "#threshold=1e9": /takes thresholds from 0\.05 to 2/,
    "#speed=9999": /plays no “9999”/,
    "#colour=red": /knows nothing called “colour”/,
    "#batch=3&__proto__=1": /knows nothing called/,
    "#=": /knows nothing called “”/,
  };
  for (const [hash, message] of Object.entries(wrong)) {
    const found = parseAddress(hash, limits);
    assert.match(found?.problem ?? "", message, hash);
    assert.deepEqual(found?.state, limits.initial, hash);
  }
});

test("no address is so long that its message would not fit", () => {
  const found = parseAddress(`#edge=${"x".repeat(5000)}`, limits);
  assert.ok((found?.problem ?? "").length < 160);
});
