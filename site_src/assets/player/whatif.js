/** What if another optimizer had been given the recorded gradients: which one, and how much it remembers. */

import { make, setText } from "./dom.js";
import { embedded } from "./embed.js";
import { say } from "./text.js";

const KINDS = /** @type {const} */ (["adam", "sgd"]);
const MORE = "index.html#loop"; // where the article says what happens when a whole training is changed

export class WhatIf {
  /**
   * @param {boolean} article  whether the page is the article's, which says more
   * @param {(choice: import("./replay.js").Choice | null) => void} onChoice
   */
  constructor(article, onChoice) {
    this.kind = make("select", { class: "wp-select" });
    const said = { recorded: say("recorded"), adam: say("with_adam"), sgd: say("with_sgd") };
    for (const [value, text] of Object.entries(said)) this.kind.append(make("option", { value }, text));
    this.range = make("input", {
      ...{ type: "range", class: "wp-slider", min: "0", max: "0.99", step: "0.01", "aria-label": say("momentum") },
    });
    this.range.value = "0.9";
    this.value = make("span", { class: "wp-beta" });
    const choose = () => {
      const kind = KINDS.find((each) => each === this.kind.value);
      onChoice(kind ? { kind, momentum: Number(this.range.value) } : null);
    };
    this.kind.addEventListener("change", choose);
    this.range.addEventListener("input", choose);
    this.turn = make("span", { class: "wp-field wp-grow" }, this.range, this.value);
    const more = make("a", { href: MORE, target: embedded ? "_blank" : undefined }, say("filter_more"));
    this.note = make("p", { class: "wp-note" }, say("filter_alone"), ...(article ? [" ", more] : []));
    this.element = make(
      "div",
      { class: "wp-row", role: "group", "aria-label": say("what_if") },
      make("label", { class: "wp-field" }, say("optimizer"), this.kind),
      this.turn,
      this.note,
    );
  }

  /** @param {import("./replay.js").Choice | null} choice */
  show(choice) {
    this.kind.value = choice?.kind ?? "recorded";
    this.turn.hidden = this.note.hidden = !choice;
    if (!choice) return;
    this.range.value = String(choice.momentum);
    setText(this.value, choice.momentum.toFixed(2));
  }
}
