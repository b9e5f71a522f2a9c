/** Everything that is chosen survives the way through an address; a wrong one says so and shows the beginning. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../../site_src/assets/player/address.js";
import { edgeOf } from "../../site_src/assets/player/geometry.js";
import { say } from "../../site_src/assets/player/text.js";
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
    replay: null,
    shown: [true, true, true],
    scale: "full",
    threshold: 1,
    speed: 10,
  },
};

const full = {
  batch: 31,
  edges: [edgeOf(layers, "l4.3.7"), edgeOf(layers, "l3.0.5")],
  run: "sgd-with-momentum-0.9",
  compare: "adam-b1-0",
  replay: { kind: "sgd", momentum: 0.35 },
  shown: [true, false, true],
  scale: "article",
  threshold: 0.35,
  speed: 25,
};

test("a whole state comes back from its address", () => {
  const address = formatAddress(full, limits);
  assert.equal(
    address,
    "#batch=31&edge=l4.3.7,l3.0.5&run=sgd-with-momentum-0.9&compare=adam-b1-0&replay=sgd:0.35&layers=l3,l5&scale=article&threshold=0.35&speed=25",
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
  const last = Number(limits.batches.get("adam-b1-0.9"));
  const wrong = {
    "#batch=0": say("unknown_batch", { value: "0" }),
    "#batch=-3": say("unknown_batch", { value: "-3" }),
    "#batch=2.5": say("unknown_batch", { value: "2.5" }),
    "#batch=": say("unknown_batch", { value: "" }),
    [`#batch=${last + 1}`]: say("late_batch", { value: last + 1, last }),
    [`#batch=${last}&compare=adam-b1-0`]: say("late_batch", { value: last, last: limits.batches.get("adam-b1-0") }),
    "#edge=l9.0.0": say("unknown_edge", { value: "l9.0.0" }),
    "#edge=l4.3.7,": say("unknown_edge", { value: "" }),
    "#edge=l3.0.0,l3.0.1,l3.0.2,l3.0.3,l3.0.4": say("many_pins", { count: 4 }),
    "#compare=lion": say("unknown_run", { value: "lion" }),
    "#compare=adam-b1-0.9": say("same_run", { value: "adam-b1-0.9" }),
    "#run=%E0%A4%A": say("unknown_run", { value: "%E0%A4%A" }),
    "#layers=l2": say("unknown_layer", { value: "l2" }),
    "#layers=": say("unknown_layer", { value: "" }),
    "#replay=adam:1": say("unknown_replay", { value: "adam:1" }),
    "#replay=lion:0.9": say("unknown_replay", { value: "lion:0.9" }),
    "#scale=blue": say("unknown_scale", { value: "blue" }),
    "#threshold=1e9": say("unknown_threshold", { value: "1e9", min: 0.05, max: 2 }),
    "#speed=9999": say("unknown_speed", { value: "9999" }),
    "#colour=red": say("unknown_key", { value: "colour" }),
    "#batch=3&__proto__=1": say("unknown_key", { value: "__proto__" }),
    "#=": say("unknown_key", { value: "" }),
  };
  for (const [hash, problem] of Object.entries(wrong)) {
    const found = parseAddress(hash, limits);
    assert.equal(found?.problem, say("address", { problem }), hash);
    assert.deepEqual(found?.state, limits.initial, hash);
  }
});

test("no address is so long that its message would not fit", () => {
  const found = parseAddress(`#edge=${"x".repeat(5000)}`, limits);
  assert.ok((found?.problem ?? "").length < 160);
});
