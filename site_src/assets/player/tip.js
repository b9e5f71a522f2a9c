/** Where graph and cards are not side by side: what the last pinned weight does, at the foot of the graph. */

import { button, make, setText } from "./dom.js";
import { runAt } from "./runs.js";
import { say } from "./text.js";
import { edgeTitle, runWords } from "./words.js";

export class Tip {
  /** @param {import("./colour.js").Layer[]} layers @param {() => void} onDetails */
  constructor(layers, onDetails) {
    this.layers = layers;
    this.title = make("strong");
    this.says = make("span");
    const more = button(say("details"), say("details"), onDetails, "wp-small");
    this.element = make("p", { class: "wp-tip" }, make("span", {}, this.title, " ", this.says), more);
  }

  /** @param {number | undefined} edge @param {import("./store.js").Run} run @param {number} batch */
  show(edge, run, batch) {
    this.element.hidden = edge === undefined;
    if (edge === undefined || !this.element.clientHeight) return;
    setText(this.title, edgeTitle(this.layers, edge));
    const now = run.at(edge, batch);
    setText(this.says, runWords(runAt(run.series(edge).updates, batch), now?.update ?? NaN, batch, Boolean(now)));
  }
}
