/** Which sentence is chosen, and with what numbers; the sentences themselves are in interface.toml. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { say } from "../../site_src/assets/player/text.js";
import * as words from "../../site_src/assets/player/words.js";
import { index } from "./fixtures.mjs";

const { layers } = index;
const all = [true, true, true];

test("numbers keep their meaning", () => {
  assert.equal(words.number(0), "0");
  assert.equal(words.number(-0.25), "−0.250");
  assert.equal(words.number(-0.00012345), "−1.23 × 10⁻⁴");
  assert.equal(words.signedNumber(2), "+2.00");
});

test("a number has all its whole digits up to four, also where rounding makes one more", () => {
  for (const [value, digits, said] of /** @type {[number, number, string][]} */ ([
    [1790.4, 3, "1,790"],
    [-1790.4, 3, "−1,790"],
    [150, 2, "150"],
    [99.4, 2, "99"],
    [99.6, 2, "100"],
    [9.96, 1, "10"],
    [999.4, 3, "999"],
    [999.96, 3, "1,000"],
    [9999.4, 3, "9,999"],
    [9999.6, 3, "1.00 × 10⁴"],
    [12345, 3, "1.23 × 10⁴"],
  ])) {
    assert.equal(words.number(value, digits), said);
  }
});

test("thousands are set apart as the browser does it", () => {
  for (const count of [0, 7, 999, 1000, 12345, 999999, 1234567]) {
    assert.equal(words.whole(count), count.toLocaleString("en"));
  }
});

const threshold = say("threshold");

test("a text has its values in their places", () => {
  assert.equal(say("edge_path", { from: 3, to: "$&" }), say("edge_path").replace("undefined", "3").replace("undefined", () => "$&"));
});

test("how many edges are lit, and where", () => {
  const lit = (/** @type {string} */ count, limit = threshold) => say(count === "1" ? "lit_one" : "lit_other", { count, limit });
  const half = say("share", { share: 0.5 });
  assert.equal(words.litWords([1, 2, 4], layers, all, 1, { edge: 0, ratio: 2 }), say("lit_most", { lit: lit("7"), layer: "l5", count: 4 }));
  assert.equal(words.litWords([0, 1, 0], layers, all, 1, undefined), say("lit_all", { lit: lit("1"), layer: "l4" }));
  const layersSaid = ["l3", "l5"].join(say("comma"));
  assert.equal(words.litWords([2, 1, 2], layers, all, 0.5, undefined), say("lit_equal", { lit: lit("5", half), layers: layersSaid, count: 2 }));
  assert.equal(words.litWords([3, 0, 0], layers, [true, false, false], 1, undefined), lit("3"));
  const none = say("lit_none", { limit: threshold, share: "0.62", layer: "l3" });
  assert.equal(words.litWords([0, 0, 0], layers, all, 1, { edge: 0, ratio: -0.62 }), none);
  assert.equal(words.litWords([0, 0, 0], layers, all, 1, undefined), say("lit_still"));
});

test("the view in words", () => {
  const place = say("batch_loss", { batch: "312", last: "3,000", loss: "0.410" });
  assert.equal(words.viewWords(312, 3000, [{ label: "Adam", loss: 0.41, lit: "7" }]), say("view", { batch: place, lit: "7" }));
  const batch = say("batch_of", { batch: "1", last: "9" });
  assert.equal(words.viewWords(1, 9, [{ label: "Adam", lit: "7" }]), say("view", { batch, lit: "7" }));
  const left = say("side_loss", { label: "A", loss: "2.00", lit: "7" });
  const right = say("side", { label: "B", lit: "8" });
  const both = [{ label: "A", loss: 2, lit: "7" }, { label: "B", lit: "8" }];
  assert.equal(words.viewWords(1, 9, both), say("view_both", { batch, left, right }));
});

test("the run that an update is in", () => {
  const run = { first: 1301, last: 1315, sign: 1, open: false };
  const values = { place: "12", length: "15", first: "1,301", last: "1,315" };
  assert.equal(words.runWords(run, 0.1, 1312), say("run_up", values));
  assert.equal(words.runWords({ ...run, sign: -1 }, -0.1, 1312), say("run_down", values));
  const open = { ...values, length: say("run_open", { length: "15" }) };
  assert.equal(words.runWords({ ...run, open: true }, 0.1, 1312), say("run_up", open));
  assert.equal(words.runWords({ first: 3, last: 3, sign: -1, open: false }, -1, 3), say("run_alone_down"));
  assert.equal(words.runWords({ first: 3, last: 3, sign: 1, open: false }, 1, 3), say("run_alone_up"));
  assert.equal(words.runWords(null, 0, 3), say("run_none"));
  assert.equal(words.runWords(null, NaN, 3), say("not_loaded"));
});

test("a history in words", () => {
  const span = say("batches_other", { count: "60" });
  assert.equal(words.historyWords(0, 60, 60, NaN), say("history_still", { span }));
  assert.equal(words.historyWords(60, 60, 60, 7.25), say("history_mean", { span, moved: say("history_all"), mean: "7.3" }));
  const loaded = say("loaded_one", { count: "1" });
  assert.equal(words.historyWords(12, 60, 60, NaN), say("history_never", { span, moved: "12" }));
  assert.equal(words.historyWords(1, 1, 90, NaN), say("history_never", { span: loaded, moved: say("history_all") }));
});
