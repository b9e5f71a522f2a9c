/**
 * All that is seen of a player, put together from its parts, and drawn from one model.
 *
 * @typedef {object} Model
 * @property {import("./address.js").State} state
 * @property {import("./store.js").Run[]} runs  one, or the two that are compared
 * @property {number} last     batch
 * @property {number} pointed  edge that is pointed at, −1 if none
 * @property {boolean} lost     whether the batch cannot be had
 * @property {boolean} playing
 * @property {boolean} rested  whether nothing has changed for a while
 */

import { strongest } from "./colour.js";
import { EdgeChooser, Settings, Transport } from "./controls.js";
import { button, make, setText } from "./dom.js";
import { Microscope } from "./microscope.js";
import { Scrubber } from "./scrubber.js";
import { Stage } from "./stage.js";
import { Share } from "./share.js";
import { say } from "./text.js";
import { Tip } from "./tip.js";
import { currentLook } from "./theme.js";
import { WhatIf } from "./whatif.js";
import { firstComparison } from "./which.js";
import * as words from "./words.js";

const STRONGEST = 6;

export class View {
  /**
   * @param {HTMLElement} host
   * @param {any} index
   * @param {import("./stage.js").Drawing} Drawing
   * @param {number[]} speeds
   * @param {import("./controls.js").Actions} actions
   * @param {{hash: () => string, csv: () => string}} what  can be taken away
   */
  constructor(host, index, Drawing, speeds, actions, what) {
    this.host = host;
    this.index = index;
    const { point, toggle: tap, step: drag, choose } = actions;
    this.stages = [
      new Stage(index, Drawing, say("run"), { point, tap, drag, choose: (run) => choose({ run }) }),
      new Stage(index, Drawing, say("run_beside"), { point, tap, drag, choose: (compare) => choose({ compare }) }),
    ];
    this.transport = new Transport(speeds, actions);
    this.settings = new Settings(index, actions);
    this.whatIf = new WhatIf(!index.tensors.length, actions.replay);
    this.scrubber = new Scrubber(actions.jump);
    this.microscope = new Microscope(index.layers, actions);
    this.chooser = new EdgeChooser(index.layers, actions);
    this.words = make("p", { class: "wp-words" });
    this.heard = make("p", { class: "wp-heard", role: "status" });
    this.message = make("p", { class: "wp-message", role: "alert" });
    this.tip = new Tip(index.layers, () => this.microscope.reveal());
    this.stageRow = make("div", { class: "wp-stages" }, ...this.stages.map(({ element }) => element));
    this.share = new Share(what);
    this.share.element.prepend(this.settings.reset);
    const keys = make("details", { class: "wp-keys" }, make("summary", {}, say("keys_title")), say("keys"));
    const main = make("div", { class: "wp-main" }, this.message, this.stageRow, this.scrubber.element);
    main.append(this.transport.element, this.settings.element, this.whatIf.element, this.words, this.heard);
    this.keys = keys;
    main.append(this.share.element, keys, this.tip.element);
    const side = make("div", { class: "wp-side", role: "group", "aria-label": say("microscope") });
    side.append(make("p", { class: "wp-heading" }, say("microscope")), this.chooser.element, this.microscope.element);
    this.element = make("div", { class: "wp-player" }, main, side);
  }

  /** Put what only a recording that offers tensors has where it belongs. */
  add({ picker, zooming }) {
    this.message.after(picker.element);
    if (!zooming) return;
    this.zooming = zooming;
    zooming.element.append(picker.note);
    this.stageRow.after(zooming.element);
    this.keys.append(" ", say("keys_zoom"));
  }

  /** Elements whose size decides how something is drawn. */
  get sized() {
    return [...this.stages.map(({ box }) => box), this.scrubber.element, this.microscope.element];
  }

  /** Elements that take keys. */
  get keyed() {
    return [...this.stages.map(({ box }) => box), this.scrubber.input];
  }

  /** @returns {string} the same as long as nothing has to be drawn anew for its size */
  get sizes() {
    const graphs = this.stages.map(({ box }) => `${box.clientWidth}×${box.clientHeight}`);
    return [...graphs, this.scrubber.element.clientWidth, this.microscope.element.clientWidth].join();
  }

  /** Measure, and draw what does not change from batch to batch. @param {Model} model */
  layout({ state, runs, last }) {
    this.look = currentLook(this.host, this.index.colours);
    this.element.classList.toggle("wp-comparing", runs.length > 1);
    this.stages[1].element.hidden = runs.length < 2;
    runs.forEach((_, place) => this.stages[place].layout(this.look, last, state.batch));
    this.zooming?.show();
    this.drawScrubber(runs, last);
    this.microscope.measure();
  }

  /** @param {import("./store.js").Run[]} runs @param {number} last */
  drawScrubber(runs, last) {
    this.scrubber.draw(runs, last, { ...this.look, width: this.scrubber.element.clientWidth });
  }

  /** Draw one batch. @param {Model} model */
  render({ state, runs, last, pointed, lost, playing, rested }) {
    const { batch, edges, shown, threshold, scale } = state;
    const view = { scale, share: threshold, shown };
    const marks = edges.map((edge, place) => ({ edge, letter: words.LETTERS[place] }));
    if (pointed >= 0 && !edges.includes(pointed)) marks.push({ edge: pointed, letter: "" });
    // Graphs in step: none goes ahead of one that is still on its way.
    const ready = runs.every((run) => run.updates(batch));
    runs.forEach((run, place) => this.stages[place].setRun(run, this.index.runs));
    const lit = runs.map((_, place) => this.stages[place].show(batch, view, marks, { ready, lost }));
    this.transport.show(state, last, playing);
    this.whatIf.show(state.replay);
    // Of one's own optimizer it may not be known what it makes of gradients.
    this.whatIf.element.hidden = this.index.tensors.length > 0 && !runs[0].entry.arithmetic;
    this.share.show(edges.length > 0);
    const { layers, runs: offered } = this.index;
    const first = firstComparison(this.index, state);
    this.settings.show(state, ready ? lit.map(sum) : [], offered.find((/** @type {any} */ { slug }) => slug === first)?.label);
    const found = runs.map((run) => (ready ? strongest(run.updates(batch), layers, run.scales[scale], shown, STRONGEST) : []));
    const graphs = runs.map((run, place) => ({
      label: run.entry.label,
      // Of a training that was not, there is no loss.
      loss: state.replay && runs.length > 1 && !place ? undefined : run.loss[batch - 1],
      lit: words.litWords(lit[place] ?? [], layers, shown, threshold, found[place][0], isKnown(run.updates(batch))),
    }));
    this.scrubber.show(batch, words.batchWords(batch, last, graphs[0].loss));
    this.microscope.show({ batch, last, runs, edges, pointed, scale, share: threshold, look: this.look, rested });
    this.tip.show(edges.at(-1), runs[0], batch);
    this.chooser.element.classList.toggle("wp-resting", playing);
    if (!ready && !lost) return;
    const seen = ready ? words.viewWords(batch, last, graphs) : say("lost", { batch: words.batchWords(batch, last) });
    setText(this.words, seen);
    // Whoever listens is told when the reader has come to rest: step after step nobody could follow.
    if (rested) setText(this.heard, seen);
    runs.forEach((run, place) => {
      const stage = this.stages[place];
      if (rested || !stage.words) stage.describe(words.pictureWords(run.entry.label, batch, this.index.slug && layers[0].name));
    });
    if (!playing) this.chooser.show(found[0], edges);
  }

  /**
   * Say something about what the reader did or asked for.
   * @param {string} text
   * @param {() => void} [retry]
   */
  say(text, retry) {
    if (!text && !this.message.textContent) return;
    this.message.replaceChildren(text);
    if (retry) this.message.append(" ", button(say("again"), say("again"), retry, "wp-small"));
  }
}

/** Whether any of them is a number: the first one is, but of what was not there yet. @param {Float32Array} [updates] */
const isKnown = (updates) => !updates || updates.some((update) => !Number.isNaN(update));

/** @param {number[] | null} counts */
const sum = (counts) => (counts ?? []).reduce((total, count) => total + count, 0);
