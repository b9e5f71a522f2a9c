/** Same-sign runs against the literal definition, batch by batch. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { meanRun, runAt, runsBetween } from "../../site_src/assets/player/runs.js";
import { expected } from "./fixtures.mjs";

const made = Float32Array.from([1, 2, 3, -1, 0, -2, -1, 5, NaN, 5, 5]);

test("a run has its ends, and says when they are not known", () => {
  assert.deepEqual(runAt(made, 2), { first: 1, last: 3, sign: 1, open: false });
  assert.deepEqual(runAt(made, 4), { first: 4, last: 4, sign: -1, open: false });
  assert.equal(runAt(made, 5), null); // exactly zero
  assert.deepEqual(runAt(made, 7), { first: 6, last: 7, sign: -1, open: false });
  assert.deepEqual(runAt(made, 8), { first: 8, last: 8, sign: 1, open: true });
  assert.equal(runAt(made, 9), null);
  assert.deepEqual(runAt(made, 11), { first: 10, last: 11, sign: 1, open: true });
});

test("a window has every run that reaches into it", () => {
  const found = runsBetween(made, 2, 7).map(({ first, last }) => [first, last]);
  assert.deepEqual(found, [[1, 3], [4, 4], [6, 7]]);
});

test("the mean run of recorded weights is pairs over flips", () => {
  for (let edge = 0; edge < expected.steps.length; edge += 7) {
    const updates = expected.updates.map((/** @type {number[]} */ row) => row[edge]);
    let pairs = 0;
    let flips = 0;
    for (let place = 1; place < updates.length; place++) {
      if (updates[place - 1] === 0 || updates[place] === 0) continue;
      pairs++;
      if (updates[place - 1] > 0 !== updates[place] > 0) flips++;
    }
    assert.equal(meanRun(Float32Array.from(updates)), flips ? pairs / flips : NaN);
  }
});
