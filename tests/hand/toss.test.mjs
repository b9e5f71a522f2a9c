/** The slider's arithmetic against SciPy, by way of tests/test_coin.py, and against theory. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bars, streaks } from "../../site_src/assets/hand/outlines.js";
import { BATCHES, SEED, SHOWN, START, formula, gradients, updates } from "../../site_src/assets/hand/toss.js";
import { meanRun } from "../../site_src/assets/player/runs.js";

assert.ok(process.env.HAND_FIXTURES, "These tests read what Python writes. Run them with: pytest tests/test_coin.py");
const expected = JSON.parse(readFileSync(join(process.env.HAND_FIXTURES, "toss.json"), "utf8"));

test("the toss is that of the figure", () => {
  assert.deepEqual([SEED, BATCHES, START, SHOWN], expected.constants);
  gradients(SEED, 300).forEach((gradient, place) => {
    assert.ok(Math.abs(gradient - expected.gradients[place]) < 1e-12);
  });
  assert.equal(gradients(1, 7).length, 7);
});

test("momentum is SciPy's filter", () => {
  const slope = Float64Array.from(expected.gradients);
  for (const [beta, wanted] of Object.entries(expected.updates)) {
    updates(slope, Number(beta), new Float32Array(slope.length)).forEach((update, place) => {
      assert.ok(Math.abs(update - wanted[place]) < 1e-6 * Math.max(Math.abs(wanted[place]), 0.1));
    });
  }
});

test("streaks are as long as the formula says, wherever the slider stands", () => {
  const slope = gradients();
  const made = new Float32Array(slope.length);
  assert.equal(formula(0), 2);
  for (let step = 0; step < 100; step++) {
    const run = meanRun(updates(slope, step / 100, made).subarray(START));
    assert.ok(Math.abs(run / formula(step / 100) - 1) < 0.03, `β = ${step / 100}: ${run}`);
  }
});

test("bars and streaks are drawn where the values are", () => {
  assert.deepEqual(bars([1, -2]), ["M0.1,0h0.8V-0.500h-0.8z", "M1.1,0h0.8V1.000h-0.8z"]);
  assert.deepEqual(streaks([1, 2, -3, -1e-9, 5]), ["M0,0H2V1H0zM4,0H5V1H4z", "M2,0H4V1H2z"]);
});
