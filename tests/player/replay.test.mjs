/** At the recorded setting the filter makes the recorded updates; at any other, those of a slow and literal formula. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { arithmeticOf, Replayed } from "../../site_src/assets/player/replay.js";
import { Run } from "../../site_src/assets/player/store.js";
import { expected, index, openFolder } from "./fixtures.mjs";

const { layers } = index;
const known = index.runs.map((/** @type {any} */ { arithmetic }) => arithmetic);
const HALF_LEVEL = 0.025; // a gradient is read to that share of itself

/** @param {number} place */
async function loaded(place) {
  const run = new Run(index.runs[place], openFolder());
  await run.loadAll(1, (first) => run.load(first), new AbortController().signal);
  return run;
}

test("at the recorded setting every sign is the recorded one, but where the rounding of gradients decides it", async () => {
  for (const [place, kind] of [[0, "adam"], [1, "adam"], [2, "sgd"]]) {
    const run = await loaded(Number(place));
    const { momentum } = /** @type {any} */ (run.entry.arithmetic);
    const replayed = new Replayed(run, { kind: /** @type {"adam" | "sgd"} */ (kind), momentum }, index);
    assert.deepEqual(replayed.filter.how, run.entry.arithmetic);
    let [moved, held, same, total] = [0, 0, 0, 0];
    for (let edge = 0; edge < expected.steps.length; edge++) {
      const { updates, gradients } = run.series(edge);
      const other = replayed.series(edge).updates;
      let [sum, size] = [0, 0];
      updates.forEach((update, row) => {
        sum = momentum * sum + gradients[row];
        size = momentum * size + Math.abs(gradients[row]);
        total++;
        if (!update) return;
        moved++;
        if (Math.sign(other[row]) === Math.sign(update)) same++;
        if (Math.abs(sum) <= 1.001 * HALF_LEVEL * size) return;
        held++;
        assert.equal(Math.sign(other[row]), Math.sign(update), `${run.entry.slug} ${edge} ${row}`);
      });
    }
    console.log(`${run.entry.slug}: ${moved} of ${total} moved, signs certain in ${held / moved}, the same in ${same / moved}`);
    assert.ok(held / moved > 0.95);
    assert.ok(same / moved > 0.995);
  }
});

test("updates are those of the formulas, one weight after the other", async () => {
  const run = await loaded(0);
  for (const choice of [{ kind: "adam", momentum: 0.5 }, { kind: "sgd", momentum: 0.7 }, { kind: "adam", momentum: 0 }]) {
    const how = arithmeticOf(/** @type {any} */ (choice), known);
    const replayed = new Replayed(run, /** @type {any} */ (choice), index);
    for (let edge = 0; edge < expected.steps.length; edge += 13) {
      const { gradients, weights } = run.series(edge);
      const found = replayed.series(edge);
      const rounding = 1e-5 * found.updates.reduce((most, update) => Math.max(most, Math.abs(update)), 0);
      let [first, second, weight] = [0, 0, weights[0]];
      gradients.forEach((gradient, row) => {
        const sum = how.momentum * first + (how.averaged ? 1 - how.momentum : 1) * gradient;
        first = sum;
        let wanted = -how.rate * sum;
        if (how.decay !== null) {
          second = how.decay * second + (1 - how.decay) * gradient ** 2;
          const mean = sum / (1 - how.momentum ** (row + 1));
          wanted = (-how.rate * mean) / (Math.sqrt(second / (1 - how.decay ** (row + 1))) + how.epsilon);
        }
        weight += wanted;
        assert.ok(Math.abs(found.updates[row] - wanted) <= 1e-4 * Math.abs(wanted) + rounding);
        assert.ok(Math.abs(found.weights[row + 1] - weight) < 1e-4);
      });
    }
  }
});

test("what is not loaded is not replayed, and what comes later goes on where it ended", async () => {
  const whole = await loaded(0);
  const choice = /** @type {const} */ ({ kind: "adam", momentum: 0.3 });
  const wanted = new Replayed(whole, choice, index);
  const run = new Run(index.runs[0], openFolder());
  const size = run.entry.batches_per_shard;
  await run.load(size + 1); // the second part without the first
  const replayed = new Replayed(run, choice, index);
  assert.equal(replayed.updates(size + 1), undefined);
  await replayed.load(2 * size + 1);
  assert.equal(replayed.loaded, 3);
  for (const batch of [1, size, size + 1, 3 * size]) assert.deepEqual(replayed.updates(batch), wanted.updates(batch));
  const again = new Replayed(whole, { kind: "sgd", momentum: 0 }, index, wanted);
  const fresh = new Replayed(whole, { kind: "sgd", momentum: 0 }, index);
  assert.deepEqual(again.updates(40), fresh.updates(40));
});

test("half a percent of the replayed updates has the full colour", async () => {
  const run = await loaded(0);
  const replayed = new Replayed(run, { kind: "sgd", momentum: 0.9 }, index);
  let edge = 0;
  layers.forEach(({ outputs, inputs }, /** @type {number} */ layer) => {
    const { mean, threshold } = replayed.scales.full[layer];
    let full = 0;
    for (const end = edge + outputs * inputs; edge < end; edge++) {
      full += replayed.series(edge).updates.filter((update) => Math.abs(update - mean) >= threshold).length;
    }
    const share = full / (outputs * inputs * run.batches);
    assert.ok(share > 0.6 * index.full_share && share < 1.6 * index.full_share, String(share));
  });
});

test("at the recorded setting the scale is the recording's, however little of it is loaded", async () => {
  const run = new Run(index.runs[0], openFolder());
  await run.load(1);
  const momentum = /** @type {number} */ (run.entry.arithmetic?.momentum);
  const replayed = new Replayed(run, { kind: "adam", momentum }, index);
  assert.equal(replayed.loaded, 1);
  replayed.scales.full.forEach(({ mean, threshold }, /** @type {number} */ layer) => {
    const recorded = run.scales.full[layer];
    assert.ok(Math.abs(threshold / recorded.threshold - 1) < 0.05, `${threshold} ${recorded.threshold}`);
    assert.ok(Math.abs(mean - recorded.mean) < 0.05 * recorded.threshold);
  });
});
