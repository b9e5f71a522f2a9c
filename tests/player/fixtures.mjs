/** What tests/test_player.py has packed, and what must come out of it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.PLAYER_FIXTURES;
assert.ok(folder, "These tests read what Python packs. Run them with: pytest tests/test_player.py");

/** @param {string} name @returns {ArrayBuffer} */
export function bytes(name) {
  const file = readFileSync(join(folder, name));
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
}

/** @param {string} name */
export const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));

export const index = json("index.json");
export const expected = json("expected.json");

/** The page's words, as the player finds them. */
const textContent = readFileSync(join(folder, "words.json"), "utf8");
globalThis.document = /** @type {any} */ ({ getElementById: () => ({ textContent }) });

/** A source as source.js makes them, from these files; it notes which shards are read. */
export function openFolder(change = (/** @type {string} */ _name, /** @type {ArrayBuffer} */ content) => content) {
  /** @type {string[]} */
  const read = [];
  return {
    asked: read,
    bytes: () => 0,
    async read(/** @type {string} */ name) {
      if (name.endsWith(".bin")) read.push(name);
      return change(name, bytes(name));
    },
  };
}
