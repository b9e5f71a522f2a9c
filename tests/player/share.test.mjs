/** What a reader copies is read by others as it was meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csvOf } from "../../site_src/assets/player/share.js";

test("a name with commas and quotes stays in its field", () => {
  const layers = [{ name: 'm.a,"b".weight', outputs: 1, inputs: 1 }];
  const series = () => ({ weights: [0.5, 0.25], updates: [-0.25], gradients: [NaN] });
  const runs = /** @type {any} */ ([{ entry: { label: 'Adam, "fast"' }, series }]);
  const names = '"Adam, ""fast""","m.a,""b"".weight.0.0"';
  const lines = ["run,weight,batch,value,update,gradient", `${names},0,0.5,,`, `${names},1,0.25,-0.25,`, ""];
  assert.equal(csvOf(runs, [0], /** @type {any} */ (layers), 1), lines.join("\n"));
});
