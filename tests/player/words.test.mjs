/** Sentences and numbers as a person would say them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as words from "../../site_src/assets/player/words.js";
import { index } from "./fixtures.mjs";

const { layers } = index;
const all = [true, true, true];

test("numbers keep their meaning", () => {
  assert.equal(words.number(0), "0");
  assert.equal(words.number(-0.25), "−0.250");
  assert.equal(words.number(-0.00012345), "−1.23 × 10⁻⁴");
  assert.equal(words.signedNumber(2), "+2.00");
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 112, 1001].map(words.ordinal), [
    "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th", "1,001st",
  ]);
});

test("thousands are set apart as the browser does it", () => {
  for (const count of [0, 7, 999, 1000, 12345, 999999, 1234567]) {
    assert.equal(words.whole(count), count.toLocaleString("en"));
  }
});

test("the view in words", () => {
  const lit = words.litWords([1, 2, 4], layers, all, 1, { edge: 0, ratio: 2 });
  assert.equal(
    words.viewWords(312, 3000, [{ label: "Adam", loss: 0.41, lit }]),
    "Batch 312 of 3,000, loss 0.410: 7 edges above the threshold, most in l5 (4).",
  );
  assert.equal(words.viewWords(1, 9, [{ label: "Adam", lit }]), "Batch 1 of 9: 7 edges above the threshold, most in l5 (4).");
  assert.equal(
    words.viewWords(1, 9, [{ label: "A", loss: 2, lit: "no edge moves" }, { label: "B", lit: "no edge moves" }]),
    "Batch 1 of 9. A: loss 2.00, no edge moves. B: no edge moves.",
  );
  assert.equal(words.litWords([0, 1, 0], layers, all, 1, undefined), "1 edge above the threshold, all in l4");
  assert.equal(words.litWords([2, 0, 2], layers, all, 0.5, undefined), "4 edges above 0.5 of the threshold, as many in l3 as in l5");
  assert.equal(words.litWords([3, 0, 0], layers, [true, false, false], 1, undefined), "3 edges above the threshold");
  assert.equal(
    words.litWords([0, 0, 0], layers, all, 1, { edge: 0, ratio: -0.62 }),
    "no edge above the threshold; the largest is 0.62 of the threshold, in l3",
  );
  assert.equal(words.litWords([0, 0, 0], layers, all, 1, undefined), "no edge moves");
});

test("two graphs are told apart", () => {
  const said = words.viewWords(2, 40, [
    { label: "Adam, β1 = 0.9", loss: 2, lit: "no edge moves" },
    { label: "SGD", loss: 1, lit: "no edge moves" },
  ]);
  assert.equal(said, "Batch 2 of 40. Adam, β1 = 0.9: loss 2.00, no edge moves. SGD: loss 1.00, no edge moves.");
});

test("the run that an update is in", () => {
  const run = { first: 301, last: 315, sign: 1, open: false };
  assert.equal(words.runWords(run, 0.1, 312), "Moves up: 12th batch in the same direction, of 15 (batches 301–315).");
  assert.match(words.runWords({ ...run, open: true }, 0.1, 312), /of at least 15/);
  assert.equal(words.runWords({ first: 3, last: 3, sign: -1, open: false }, -1, 3), "Moves down, in this batch alone.");
  assert.equal(words.runWords(null, 0, 3), "Did not move in this batch.");
  assert.equal(words.runWords(null, NaN, 3), "Not loaded yet.");
});

test("a history in words", () => {
  assert.equal(words.historyWords(0, 60, 60, NaN), "In 60 batches it never moved.");
  assert.equal(words.historyWords(60, 60, 60, 7.25), "In 60 batches it moved in all; mean run 7.3 batches.");
  assert.equal(words.historyWords(12, 60, 90, NaN), "In the 60 batches loaded so far it moved in 12; never turned round.");
});
