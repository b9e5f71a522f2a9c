/**
 * The microscope: what one weight does, around now and over the whole run. An edge that is pointed at is shown until
 * another one is, or Escape is pressed; up to four are pinned.
 *
 * @typedef {import("./store.js").Run} Run
 * @typedef {import("./colour.js").Layer} Layer
 * @typedef {import("./plots.js").Look} Look
 *
 * @typedef {object} View
 * @property {number} batch
 * @property {number} last    batch
 * @property {Run[]} runs     one, or the two that are compared
 * @property {number[]} edges pinned
 * @property {number} pointed edge that was pointed at last, −1 if none
 * @property {"full" | "article"} scale
 * @property {number} share   threshold as a share of τ
 * @property {Look} look
 * @property {boolean} rested  whether nothing has changed for a while: then there is time for what is out of sight
 */

import { MOST_PINS } from "./address.js";
import { signedOpacity } from "./colour.js";
import { button, make, setText } from "./dom.js";
import { edgeParts } from "./geometry.js";
import { drawHistory, HEIGHT } from "./plots.js";
import { meanRun, runAt } from "./runs.js";
import { say } from "./text.js";
import * as words from "./words.js";

const AROUND = 40; // batches shown before and after the present one

/** One weight in one training run: sentence, numbers and two drawings. */
class Block {
  /** @param {(batch: number) => void} onJump */
  constructor(onJump) {
    this.name = make("p", { class: "wp-block-name" });
    this.says = make("p", { class: "wp-says" });
    /** @type {HTMLElement[]} */
    this.values = [];
    const numbers = make("dl", { class: "wp-numbers" });
    for (const name of ["weight", "update", "gradient", "opacity"]) {
      const value = make("dd");
      this.values.push(value);
      numbers.append(make("div", {}, make("dt", {}, say(name)), value));
    }
    this.near = make("canvas", { class: "wp-plot", role: "img" });
    this.far = make("canvas", { class: "wp-plot wp-plot-far", role: "img" });
    this.now = make("div", { class: "wp-now" });
    this.history = make("p", { class: "wp-history" });
    const farBox = make("div", { class: "wp-far" }, this.far, this.now);
    this.far.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const share = event.offsetX / this.far.clientWidth;
      onJump(Math.min(Math.max(Math.ceil(share * this.last), 1), this.last));
    });
    this.element = make("div", { class: "wp-block" }, this.name, this.says, numbers, this.near, this.history, farBox);
    this.last = 1;
    this.drawn = "";
  }

  /**
   * @param {number} edge
   * @param {Run} run
   * @param {View} view
   * @param {{layer: number, width: number}} place  width 0: nobody sees the drawings
   */
  show(edge, run, { batch, last, runs, scale, share, look }, { layer, width }) {
    this.last = last;
    const series = run.series(edge);
    const law = run.scales[scale][layer];
    const limit = { mean: law.mean, threshold: law.threshold * share };
    const now = run.at(edge, batch);
    const update = now?.update ?? NaN;
    const found = runAt(series.updates, batch);
    setText(this.name, runs.length > 1 ? run.entry.label : "");
    setText(this.says, words.runWords(found, update, batch, Boolean(now)));
    const opacity = now ? Math.abs(signedOpacity(update, law.mean, limit.threshold)) : NaN;
    const shown = now ? [words.number(now.weight), words.signedNumber(update), gradientWords(now.gradient)] : [];
    const known = Number.isFinite(opacity) ? opacity.toFixed(2) : "…";
    this.values.forEach((element, place) => setText(element, [...shown, known][place] ?? "…"));
    if (!width) return;
    const window = { from: batch - AROUND, to: batch + AROUND, batch, law: limit };
    drawHistory(this.near, width, series, window, look);
    this.near.setAttribute("aria-label", say("near", { batch: words.whole(batch) }));
    this.showWhole(run, series, limit, last, width, look);
    this.now.style.left = `${((batch - 0.5) / last) * 100}%`;
  }

  /** Draw the whole run only when something in it is new: the present batch is a line above it. */
  showWhole(run, series, law, last, width, look) {
    const state = [series.loaded, width, law.threshold, last, look.colours.paper, look.density].join();
    if (state === this.drawn && this.series === series) return;
    this.drawn = state;
    this.series = series;
    drawHistory(this.far, width, series, { from: 1, to: last, batch: -1e9, law }, look);
    const updates = series.updates.subarray(0, last);
    const loaded = updates.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0);
    const moved = updates.reduce((sum, value) => sum + (value ? 1 : 0), 0); // NaN is falsy
    // Of what is all there some steps may not be known.
    const there = run.loaded === run.shards.length ? loaded : last;
    setText(this.history, words.historyWords(moved, loaded, there, meanRun(updates)));
    this.far.setAttribute("aria-label", say("far", { last: words.whole(last) }));
  }
}

/** @param {number} gradient  NaN where there was none */
const gradientWords = (gradient) => (Number.isNaN(gradient) ? say("no_gradient") : words.signedNumber(gradient));

/** One weight, in one training run or in two. */
class Card {
  /**
   * @param {Layer[]} layers
   * @param {{toggle: (edge: number) => void, jump: (batch: number) => void}} actions
   */
  constructor(layers, actions) {
    this.layers = layers;
    this.actions = actions;
    this.edge = -1;
    this.width = 0; // CSS pixels of a drawing; 0 while not known
    this.seen = true; // whether it is in the window
    this.letter = make("span", { class: "wp-letter", "aria-hidden": "true" });
    this.title = make("h2", { class: "wp-card-title" });
    this.path = make("span", { class: "wp-card-path" });
    this.pin = button(say("pin"), say("pin"), () => actions.toggle(this.edge), "wp-small");
    const head = make("header", { class: "wp-card-head" }, this.letter, this.title, this.path, this.pin);
    this.blocks = [new Block(actions.jump), new Block(actions.jump)];
    const body = make("div", { class: "wp-blocks" }, ...this.blocks.map(({ element }) => element));
    this.element = make("section", { class: "wp-card" }, head, body);
  }

  /** @param {number} edge @param {View} view @param {string} letter */
  show(edge, view, letter) {
    this.edge = edge;
    const title = words.edgeTitle(this.layers, edge);
    setText(this.letter, letter);
    this.letter.hidden = !letter;
    setText(this.title, title);
    setText(this.path, words.edgePath(this.layers, edge));
    setText(this.pin, say(letter ? "unpin" : "pin"));
    this.pin.setAttribute("aria-label", say(letter ? "unpin_edge" : "pin_edge", { edge: title }));
    this.element.setAttribute("aria-label", say("edge_name", { edge: title }));
    if (this.blocks[1].element.hidden !== view.runs.length < 2) {
      this.blocks[1].element.hidden = view.runs.length < 2;
      this.width = 0;
    }
    // Asked for once, not in every frame: the answer makes the browser lay the page out.
    this.width ||= this.blocks[0].element.clientWidth;
    const { layer } = edgeParts(this.layers, edge);
    const width = this.seen || view.rested ? this.width : 0;
    view.runs.forEach((run, place) => this.blocks[place].show(edge, run, view, { layer, width }));
  }
}

export class Microscope {
  /**
   * @param {Layer[]} layers
   * @param {{toggle: (edge: number) => void, jump: (batch: number) => void, redraw: () => void}} actions
   */
  constructor(layers, actions) {
    this.layers = layers;
    this.actions = actions;
    /** @type {Map<Element, Card>} */
    this.byElement = new Map();
    this.sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) /** @type {Card} */ (this.byElement.get(target)).seen = isIntersecting;
      actions.redraw();
    });
    this.hint = make(
      "p",
      { class: "wp-hint", tabindex: "-1" },
      say("hint", { count: MOST_PINS }),
    );
    this.progress = make("p", { class: "wp-progress" });
    this.preview = this.makeCard();
    this.preview.element.classList.add("wp-preview");
    /** @type {Card[]} */
    this.cards = [];
    this.list = make("div", { class: "wp-cards" });
    this.element = make("div", { class: "wp-microscope", style: `--wp-plot: ${HEIGHT}px` });
    this.element.append(this.hint, this.progress, this.preview.element, this.list);
  }

  makeCard() {
    const card = new Card(this.layers, this.actions);
    this.byElement.set(card.element, card);
    this.sight.observe(card.element);
    return card;
  }

  /** Forget how wide the drawings were. */
  measure() {
    for (const card of [this.preview, ...this.cards]) card.width = 0;
  }

  /** @param {View} view */
  show(view) {
    const focused = [this.preview, ...this.cards].find((card) => card.element.contains(document.activeElement));
    while (this.cards.length < view.edges.length) {
      const card = this.makeCard();
      this.cards.push(card);
      this.list.append(card.element);
    }
    this.cards.forEach((card, place) => {
      card.element.hidden = place >= view.edges.length;
      if (!card.element.hidden) card.show(view.edges[place], view, words.LETTERS[place]);
    });
    const extra = view.pointed >= 0 && !view.edges.includes(view.pointed);
    this.preview.element.hidden = !extra;
    this.hint.hidden = extra || view.edges.length > 0;
    if (extra) this.preview.show(view.pointed, view, "");
    // A card whose button was pressed may be gone: the focus goes to the last one that is there.
    if (focused?.element.hidden) (this.cards[view.edges.length - 1]?.pin ?? this.hint).focus();
  }

  /** Bring the last card into the window. */
  reveal() {
    const shown = this.cards.filter(({ element }) => !element.hidden);
    shown[shown.length - 1]?.element.scrollIntoView({ block: "start" });
  }

  /**
   * Say how much is loaded.
   * @param {number} done
   * @param {number} total
   * @param {() => void} [retry]  when nothing more is on its way
   */
  showProgress(done, total, retry) {
    const text = retry ? say("loading_lost", { count: total - done, total }) : say("loading_run", { done, total });
    this.progress.replaceChildren(...(done < total ? [text] : []));
    if (retry && done < total) this.progress.append(" ", button(say("again"), say("again"), retry, "wp-small"));
  }
}
