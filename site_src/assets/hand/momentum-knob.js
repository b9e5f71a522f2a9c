/**
 * <momentum-knob>: what momentum makes of gradients that a coin draws, by a slider for its coefficient; below, a
 * question to guess at. Around a figure of the same toss, which stays what the reader gets without a script.
 */

import { make, setText } from "../player/dom.js";
import { meanRun } from "../player/runs.js";
import { speaker } from "../player/text.js";
import { bars, streaks } from "./outlines.js";
import { SHOWN, START, formula, gradients, updates } from "./toss.js";

const BETA = 0.9; // where the slider stands before any touch
const TICKS = [2, 3, 5, 7, 10, 20]; // batches
const ENDS = [1.6, 28]; // batches at the ends of the scale, which is logarithmic
const GUESSES = [2, 4, 7]; // batches
const BARS = `<svg viewBox="0 -1 ${SHOWN} 2" preserveAspectRatio="none" aria-hidden="true"><path/><path/></svg>`;
const STRIP = `<svg viewBox="0 0 ${SHOWN} 1" preserveAspectRatio="none" aria-hidden="true"><path/><path/></svg>`;

const say = speaker("hand");
const decimals = (/** @type {number} */ value) => value.toFixed(1);
const share = (/** @type {number} */ run) => `${(100 * Math.log(run / ENDS[0])) / Math.log(ENDS[1] / ENDS[0])}%`;

/**
 * Set the outlines of the paths in an element, in their order.
 * @param {Element} element
 * @param {string[]} outlines
 */
function draw(element, outlines) {
  element.querySelectorAll("path").forEach((path, place) => path.setAttribute("d", outlines[place]));
}

class MomentumKnob extends HTMLElement {
  connectedCallback() {
    if (this.slider) return;
    this.gradients = gradients();
    this.updates = new Float32Array(this.gradients.length);
    const noise = make("div", { class: "knob__noise" });
    noise.innerHTML = BARS;
    draw(noise, bars(this.gradients.slice(START, START + SHOWN).map((gradient) => -gradient)));
    this.made = make("div", { class: "knob__made" });
    this.made.innerHTML = `${BARS}${STRIP}`;
    this.value = make("output", { for: "knob-beta", "aria-live": "off" });
    this.slider = make("input", { id: "knob-beta", type: "range", min: "0", max: "0.99", step: "0.01", value: String(BETA) });
    this.slider.addEventListener("input", () => this.show());
    this.run = make("b");
    this.formula = make("b");
    this.replaceChildren(
      make(
        "div",
        { class: "knob" },
        make("span", {}, say("gradients")),
        noise,
        make("span", {}, say("updates")),
        this.made,
        make("label", { for: "knob-beta" }, say("slider"), " ", this.value),
        this.slider,
        make(
          "span",
          { class: "knob__legend" },
          make("span", { class: "knob__run" }, say("run"), " ", this.run),
          make("span", { class: "knob__formula" }, say("formula"), " ", this.formula),
        ),
        this.scale(),
        this.question(),
      ),
    );
    this.show();
  }

  /** Make the scale of mean streaks, with a mark for what is simulated and one for the formula. */
  scale() {
    this.marks = ["formula", "run"].map((name) => make("i", { class: `knob__mark-${name}` }));
    const ticks = TICKS.map((run) => {
      const tick = make("span", {}, String(run));
      tick.style.left = share(run);
      return tick;
    });
    return make("div", { class: "knob__scale", "aria-hidden": "true" }, ...ticks, ...this.marks);
  }

  /** Make the question, which its answer replaces. */
  question() {
    const question = make("span", { id: "knob-question" }, say("question"));
    const answer = make("span", { role: "status" });
    const guesses = GUESSES.map((batches) => {
      const guess = make("button", { type: "button", "aria-pressed": "false" }, String(batches));
      guess.addEventListener("click", () => {
        for (const each of guesses) each.setAttribute("aria-pressed", String(each === guess));
        question.className = "unseen";
        const verdict = say(batches === GUESSES[0] ? "right" : "wrong");
        answer.textContent = say("told", { verdict, answer: say("answer", { batches: GUESSES[0] }) });
        this.slider.value = "0";
        this.show();
      });
      return guess;
    });
    const choice = make("span", { role: "group", "aria-labelledby": "knob-question", class: "hand__choice" }, ...guesses);
    return make("div", { class: "knob__question" }, question, answer, choice);
  }

  /** Draw what the momentum coefficient of the slider makes of the toss. */
  show() {
    const beta = Number(this.slider.value);
    const made = updates(this.gradients, beta, this.updates);
    const shown = made.subarray(START, START + SHOWN);
    draw(this.made, [...bars(shown), ...streaks(shown)]);
    const runs = [formula(beta), meanRun(made.subarray(START))];
    this.marks.forEach((mark, place) => (mark.style.left = share(runs[place])));
    const [wanted, run] = runs.map(decimals);
    setText(this.value, beta.toFixed(2));
    setText(this.run, run);
    setText(this.formula, wanted);
    this.slider.setAttribute("aria-valuetext", say("spoken", { beta: beta.toFixed(2), run, formula: wanted }));
  }
}

if (!customElements.get("momentum-knob")) customElements.define("momentum-knob", MomentumKnob);
