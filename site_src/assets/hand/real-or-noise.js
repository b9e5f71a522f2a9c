/**
 * <real-or-noise>: two pictures side by side without their labels; once the reader has chosen one, labels and answer are
 * in sight. Around the figure with its labels, whose caption is the answer: what the reader gets without a script.
 */

import { make } from "../player/dom.js";
import { speaker } from "../player/text.js";

const RECORDED = "b"; // report/drawing/figures/guess.py draws it on the right

const say = speaker("hand");

class RealOrNoise extends HTMLElement {
  connectedCallback() {
    const figure = this.closest("figure");
    const answer = /** @type {HTMLElement | null | undefined} */ (figure?.querySelector(".answer"));
    if (this.choice || !figure || !answer) return;
    const images = [...this.querySelectorAll("img")];
    const descriptions = images.map(({ alt }) => alt);
    for (const image of images) image.alt = say("unlabelled");
    const buttons = ["a", "b"].map((name) => {
      const button = make("button", { type: "button" }, say(name));
      button.addEventListener("click", () => {
        images.forEach((image, place) => (image.alt = descriptions[place]));
        figure.removeAttribute("data-asking");
        const verdict = say(name === RECORDED ? "right" : "wrong");
        answer.textContent = say("told", { verdict, answer: answer.textContent });
        this.choice.remove();
        // The button that had the focus is gone; who cannot see the answer hears it.
        answer.tabIndex = -1;
        answer.focus({ preventScroll: true });
      });
      return button;
    });
    const label = figure.querySelector("figcaption strong")?.textContent;
    this.choice = make("div", { role: "group", "aria-label": label, class: "hand__choice" }, ...buttons);
    this.replaceChildren(make("div", { class: "guess__pictures" }, ...images), this.choice);
    figure.setAttribute("data-asking", "");
  }
}

if (!customElements.get("real-or-noise")) customElements.define("real-or-noise", RealOrNoise);
