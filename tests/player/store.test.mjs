/** Shards are loaded when they are wanted, once; what fails can be asked for again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DataError } from "../../site_src/assets/player/format.js";
import { loadIndex, Run } from "../../site_src/assets/player/store.js";
import { say } from "../../site_src/assets/player/text.js";
import { expected, index, openFolder } from "./fixtures.mjs";

const [main] = index.runs;

test("only the shard of the wanted batch is read, and once", async () => {
  const source = openFolder();
  const run = new Run(main, source);
  const batch = main.batches_per_shard + 3;
  assert.equal(run.updates(batch), undefined);
  assert.equal(run.at(5, batch), undefined);
  await Promise.all([run.load(batch), run.load(batch + 1), run.load(batch)]);
  await run.load(batch);
  assert.deepEqual(source.asked, [`${main.run}/001.bin`]);
  const updates = run.updates(batch);
  updates.forEach((update, edge) => {
    assert.ok(Math.abs(update - expected.updates[batch - 1][edge]) <= expected.steps[edge] + 1e-7);
  });
  assert.ok(Math.abs(run.at(7, batch).weight - expected.weights[batch][7]) <= expected.steps[7]);
});

test("one weight's series is whole when everything is loaded, and open where it is not", async () => {
  const run = new Run(main, openFolder());
  await run.load(1);
  const size = main.batches_per_shard;
  assert.equal(run.series(4).updates.filter(Number.isNaN).length, main.batches - size);
  let parts = 0;
  await run.loadAll(20, (first) => (parts++, run.load(first)), new AbortController().signal);
  assert.equal(parts, main.shards.length - 1);
  const { weights, updates, gradients } = run.series(4);
  for (let batch = 1; batch <= main.batches; batch++) {
    assert.equal(Math.sign(updates[batch - 1]), Math.sign(expected.updates[batch - 1][4]));
    assert.equal(Math.sign(gradients[batch - 1]), Math.sign(expected.gradients[batch - 1][4]));
    assert.ok(Math.abs(weights[batch] - expected.weights[batch][4]) <= expected.steps[4]);
  }
  assert.ok(Math.abs(weights[0] - expected.weights[0][4]) <= expected.steps[4]);
});

test("loading everything ends when the reader no longer wants it", async () => {
  const run = new Run(main, openFolder());
  const abort = new AbortController();
  await run.loadAll(1, (first) => run.load(first).finally(() => abort.abort()), abort.signal);
  assert.ok(run.loaded < main.shards.length);
});

test("a shard that failed is asked for again", async () => {
  let failing = true;
  const run = new Run(main, openFolder((name, content) => (failing && name.endsWith(".bin") ? content.slice(0, 100) : content)));
  await assert.rejects(run.load(1), DataError);
  failing = false;
  assert.equal((await run.load(1)).first, 1);
});

test("a shard in another's place is refused", async () => {
  const source = openFolder();
  const swapped = { ...source, read: (/** @type {string} */ name) => source.read(name.replace("000.bin", "001.bin")) };
  const message = say("other_batches", { name: `${main.run}/000.bin` });
  await assert.rejects(new Run(main, swapped).load(1), { message });
});

test("an index that is none is refused with its reason", async () => {
  const text = (/** @type {string} */ words) => ({ bytes: () => 0, read: async () => new TextEncoder().encode(words).buffer });
  await assert.rejects(loadIndex(text("<!doctype html>")), { message: say("damaged", { name: "index.json" }) });
  await assert.rejects(loadIndex(text("null")), { message: say("foreign", { name: "index.json" }) });
  const message = say("version", { name: "index.json", version: 9, wanted: 2 });
  await assert.rejects(loadIndex(text(JSON.stringify({ ...index, version: 9 }))), { message });
  assert.equal((await loadIndex(openFolder())).main, index.main);
});
