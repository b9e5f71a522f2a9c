import assert from "node:assert/strict";
import { test } from "node:test";
import { Which } from "../../site_src/assets/player/which.js";
import { index, openFolder } from "./fixtures.mjs";

const which = new Which(index, openFolder());
const [one, other] = index.runs.map((/** @type {any} */ { slug }) => slug);

test("a recording is never compared with itself, and one is always shown", () => {
  const state = /** @type {any} */ ({ run: one, compare: other, replay: null });
  const swapped = which.chosen(state, { compare: one });
  assert.deepEqual([swapped.run, swapped.compare], [other, one]);
  const alone = which.chosen({ ...state, compare: null }, { compare: one });
  assert.deepEqual([alone.run, alone.compare], [one, null]);
});
