/** A part that cannot be had is asked for twice, and again only when the reader wants it anew. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Loader } from "../../site_src/assets/player/loader.js";
import { Run } from "../../site_src/assets/player/store.js";
import { index, openFolder } from "./fixtures.mjs";

const [main] = index.runs;

/** Let what waits for nothing but its turn go on. */
const turns = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test("one more try after a moment, then none", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let failing = true;
  const source = openFolder((name, content) => (failing && name.endsWith(".bin") ? content.slice(0, 100) : content));
  const run = new Run(main, source);
  let changes = 0;
  const loader = new Loader(() => changes++);
  const wanted = [loader.want(run, 1), loader.want(run, 2)];
  await turns();
  assert.equal(source.asked.length, 1);
  mock.timers.tick(1000);
  await Promise.all(wanted);
  assert.equal(source.asked.length, 2);
  assert.equal(changes, 1);
  assert.ok(loader.problem(run, 2)?.message);
  assert.equal(loader.problem(run, main.batches_per_shard + 1), undefined);
  await loader.want(run, 1);
  assert.equal(source.asked.length, 2);
  failing = false;
  loader.forgive();
  assert.equal(loader.problem(run, 2), undefined);
  await loader.want(run, 1);
  assert.ok(run.updates(1));
  mock.timers.reset();
});

test("a whole run is had but for the part that is missing", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const source = openFolder((name, content) => (name.endsWith("001.bin") ? content.slice(0, 100) : content));
  const run = new Run(main, source);
  const loader = new Loader(() => {});
  const all = loader.all([run], 1);
  assert.ok(loader.busy);
  while (!source.asked.includes(`${main.run}/001.bin`)) await turns();
  await turns();
  mock.timers.tick(1000);
  await all;
  assert.ok(!loader.busy);
  assert.equal(run.loaded, main.shards.length - 1);
  mock.timers.reset();
});
