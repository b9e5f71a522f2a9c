/** Shards that Python wrote come out as recorded; whatever is broken is named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DataError, decodeShard, readHeader } from "../../site_src/assets/player/format.js";
import { say } from "../../site_src/assets/player/text.js";
import { bytes, expected, index } from "./fixtures.mjs";

const [main] = index.runs;
const name = (/** @type {number} */ place) => `${main.run}/${String(place).padStart(3, "0")}.bin`;

test("every value of every shard lies within the stated error, with its sign", async () => {
  let batch = 0;
  for (let place = 0; place < main.shards.length; place++) {
    const shard = await decodeShard(bytes(name(place)), { fingerprint: main.fingerprint });
    assert.equal(shard.first, batch + 1);
    for (let row = 0; row < shard.batches; row++, batch++) {
      for (let edge = 0; edge < shard.edges; edge++) {
        const cell = row * shard.edges + edge;
        const step = expected.steps[edge];
        const update = expected.updates[batch][edge];
        const gradient = expected.gradients[batch][edge];
        assert.ok(Math.abs(shard.weights[cell] - expected.weights[batch][edge]) <= 0.5 * step + 1e-7);
        assert.ok(Math.abs(shard.updates[cell] - update) <= step + 1e-7);
        assert.equal(Math.sign(shard.updates[cell]), Math.sign(update));
        assert.ok(Math.abs(shard.gradients[cell] - gradient) <= 0.025 * Math.abs(gradient) * 1.00001);
        assert.equal(Math.sign(shard.gradients[cell]), Math.sign(gradient));
      }
    }
    const last = shard.weights.subarray(shard.batches * shard.edges);
    last.forEach((weight, edge) => {
      assert.ok(Math.abs(weight - expected.weights[batch][edge]) <= 0.5 * expected.steps[edge] + 1e-7);
    });
  }
  assert.equal(batch, main.batches);
});

/** @param {(copy: Uint8Array) => ArrayBufferLike} change */
const broken = (change) => decodeShard(/** @type {ArrayBuffer} */ (change(new Uint8Array(bytes(name(0))))), { name: "it" });
/** @param {string} key @param {Record<string, number>} [values] */
const says = (key, values) => (/** @type {unknown} */ error) =>
  error instanceof DataError && error.message === say(key, { name: "it", ...values });

test("a file that is cut short is called that, wherever it ends", async () => {
  const { length } = new Uint8Array(bytes(name(0)));
  for (const size of [0, 3, 10, 23]) {
    await assert.rejects(broken((copy) => copy.buffer.slice(0, size)), says("short_header", { size }));
  }
  for (const size of [24, 60, 200, length - 1]) {
    await assert.rejects(broken((copy) => copy.buffer.slice(0, size)), says("short", { size, wanted: length }));
  }
});

test("a foreign file, another version, and another run are told apart", async () => {
  const page = new TextEncoder().encode("<!doctype html><title>404</title><p>There is nothing here.</p>");
  await assert.rejects(broken(() => page.buffer), says("foreign"));
  await assert.rejects(
    broken((copy) => ((copy[4] = 1), copy.buffer)),
    says("version", { version: 1, wanted: 2 }),
  );
  await assert.rejects(decodeShard(bytes(name(0)), { name: "it", fingerprint: 1 }), says("other_run"));
});

test("damage inside is noticed, never drawn", async () => {
  const { start } = readHeader(bytes(name(0)));
  for (const at of [start, start + 1, start + 500]) {
    await assert.rejects(
      broken((copy) => ((copy[at] ^= 0x55), copy.buffer)),
      says("damaged"),
    );
  }
  await assert.rejects(
    broken((copy) => ((copy[12] = 5), copy.buffer)),
    (error) => error instanceof DataError && error.message !== say("damaged", { name: "it" }),
  );
  await assert.rejects(
    broken((copy) => (copy.fill(255, 12, 16), copy.buffer)),
    says("damaged"),
  );
});
