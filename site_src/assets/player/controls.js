/**
 * The controls around the graph: playing, the batch, what counts as large, which layers, comparing, choosing edges.
 *
 * @typedef {import("./address.js").State} State
 * @typedef {import("./colour.js").Layer} Layer
 *
 * @typedef {object} Actions
 * @property {() => void} play
 * @property {(batches: number) => void} step
 * @property {(batch: number) => void} jump
 * @property {(speed: number) => void} speed
 * @property {(scale: "full" | "article") => void} scale
 * @property {(share: number) => void} threshold
 * @property {(layer: number) => void} layer
 * @property {(change: {run?: string, compare?: string}) => void} choose  a training run
 * @property {() => void} compare  two graphs, or one again
 * @property {(edge: number) => void} point
 * @property {(edge: number) => void} toggle
 * @property {(choice: import("./replay.js").Choice | null) => void} replay
 * @property {() => void} reset
 * @property {() => void} redraw
 */

import { sizeOf } from "./colour.js";
import { SCALES, THRESHOLDS } from "./address.js";
import { button, icon, make, setText } from "./dom.js";
import { edgeName, edgeOf } from "./geometry.js";
import { say } from "./text.js";
import { cellIndices, counted, edgeTitle, number, whole } from "./words.js";

const STRONGEST = 6;

/** Playing, stepping, jumping, and the speed. */
export class Transport {
  /** @param {number[]} speeds @param {Actions} actions */
  constructor(speeds, actions) {
    this.pictures = { play: icon("play"), pause: icon("pause") };
    this.play = button(say("play"), this.pictures.play, actions.play, "wp-play");
    this.batch = make("input", { type: "number", min: "1", step: "1", inputMode: "numeric", class: "wp-number" });
    this.batch.addEventListener("input", () => (this.typing = true));
    this.batch.addEventListener("change", () => {
      this.typing = false;
      actions.jump(Number(this.batch.value));
    });
    // Of what was typed and taken back a browser tells nothing.
    this.batch.addEventListener("blur", () => {
      this.typing = false;
      actions.redraw();
    });
    this.of = make("span", { class: "wp-of" });
    this.speed = make("select", { class: "wp-select", "aria-label": say("speed") });
    for (const speed of speeds) this.speed.append(make("option", { value: String(speed) }, say("speed_option", { speed })));
    this.speed.addEventListener("change", () => actions.speed(Number(this.speed.value)));
    this.element = make(
      "div",
      { class: "wp-row", role: "group", "aria-label": say("playing") },
      this.play,
      button(say("back"), icon("back"), () => actions.step(-1)),
      button(say("forward"), icon("forward"), () => actions.step(1)),
      make("label", { class: "wp-field" }, say("batch"), this.batch, this.of),
      this.speed,
    );
  }

  /** @param {State} state @param {number} last @param {boolean} playing */
  show(state, last, playing) {
    const label = say(playing ? "pause" : "play");
    if (this.play.title !== label) {
      this.play.setAttribute("aria-label", label);
      this.play.title = label;
      this.play.replaceChildren(playing ? this.pictures.pause : this.pictures.play);
    }
    // What the reader is typing is theirs until they are done.
    if (!this.typing || playing) this.batch.value = String(state.batch);
    if (this.batch.max !== String(last)) this.batch.max = String(last);
    setText(this.of, say("of", { last: whole(last) }));
    this.speed.value = String(state.speed);
  }
}

/** What is drawn: the threshold, the layers, one graph or two. */
export class Settings {
  /** @param {any} index @param {Actions} actions */
  constructor({ layers, full_share: share }, actions) {
    this.scale = make("select", { class: "wp-select" });
    const percent = number(100 * share, 1);
    const said = { full: say("scale_full", { percent }), article: say("scale_article") };
    for (const scale of SCALES) this.scale.append(make("option", { value: scale }, said[scale]));
    this.scale.addEventListener("change", () => actions.scale(this.scale.value));
    this.range = make("input", { type: "range", class: "wp-slider", "aria-label": say("factor"), ...strings(THRESHOLDS) });
    this.range.addEventListener("input", () => actions.threshold(Number(this.range.value)));
    this.value = make("span", { class: "wp-value" });
    this.layers = layers.map((/** @type {Layer} */ { name, inputs, outputs }, /** @type {number} */ layer) => {
      const toggle = button(name, name, () => actions.layer(layer), "wp-toggle");
      toggle.title = `${name}, ${whole(inputs)} → ${whole(outputs)}`;
      return toggle;
    });
    this.toggles = make("div", { class: "wp-toggles", role: "group", "aria-label": say("layers") }, ...this.layers);
    this.toggles.hidden = layers.length < 2;
    this.compare = button("", "", actions.compare, "wp-wide");
    this.reset = button(say("reset"), say("reset"), actions.reset, "wp-wide");
    this.element = make(
      "div",
      { class: "wp-row", role: "group", "aria-label": say("drawn") },
      make("label", { class: "wp-field" }, say("large"), this.scale),
      this.toggles,
      make("span", { class: "wp-field wp-grow" }, this.range, this.value),
      this.compare,
    );
  }

  /**
   * @param {State} state
   * @param {number[]} lit  edges above the threshold in each graph; empty if not known
   * @param {string | undefined} first  label of what is offered to compare with
   */
  show(state, lit, first) {
    this.scale.value = state.scale;
    this.range.value = String(state.threshold);
    const threshold = state.threshold.toFixed(2);
    const [left, right] = lit.map(whole);
    if (right !== undefined) setText(this.value, say("lit_both", { threshold, left, right }));
    else setText(this.value, lit.length ? counted("lines", lit[0], { threshold }) : `× ${threshold}`);
    this.range.setAttribute("aria-valuetext", say("share", { share: state.threshold }));
    this.compare.hidden = first === undefined;
    this.layers.forEach((toggle, layer) => toggle.setAttribute("aria-pressed", String(state.shown[layer])));
    const offer = state.replay ? say("compare_recorded") : say("compare", { label: first ?? "" });
    setText(this.compare, state.compare === null ? offer : say("single"));
  }
}

/** @param {Record<string, number>} numbers */
const strings = (numbers) => Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)]));

/** Make a field that a form does not leave empty. @param {number} [most] */
const numberField = (most) =>
  make("input", {
    type: "number",
    required: true,
    min: "0",
    max: most?.toString(),
    value: "0",
    inputMode: "numeric",
    class: "wp-number",
  });

/** Ways to an edge without a pointer: the strongest of the batch, and any by its numbers. */
export class EdgeChooser {
  /** @param {Layer[]} layers @param {Actions} actions */
  constructor(layers, actions) {
    this.layers = layers;
    this.edges = new Array(STRONGEST).fill(-1);
    this.buttons = this.edges.map((_, place) => {
      const made = button("", "", () => actions.toggle(this.edges[place]), "wp-small");
      for (const event of ["focus", "pointerenter"]) made.addEventListener(event, () => actions.point(this.edges[place]));
      return made;
    });
    this.strongest = make("div", { class: "wp-strongest" }, ...this.buttons);
    this.form = make("form", { class: "wp-row wp-choose" }, ...(layers[0].shape ? this.cellFields() : this.edgeFields()));
    this.form.append(make("button", { type: "submit", class: "wp-button wp-wide" }, say("pin_this")));
    this.form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const edge = this.chosen();
      if (edge >= 0) actions.toggle(edge);
    });
    this.title = make("p", { class: "wp-label" }, say("strongest"));
    this.element = make("div", { class: "wp-chooser" }, this.title, this.strongest, this.form);
  }

  /** Of an edge of the graph: its layer, and the nodes that it joins. */
  edgeFields() {
    this.layer = make("select", { class: "wp-select" });
    for (const { name } of this.layers) this.layer.append(make("option", { value: name }, name));
    [this.input, this.output] = [numberField(), numberField()];
    this.layer.addEventListener("change", () => this.limit());
    this.limit();
    this.chosen = () => edgeOf(this.layers, `${this.layer.value}.${Number(this.output.value)}.${Number(this.input.value)}`);
    const fields = [[say("layer"), this.layer], [say("from_node"), this.input], [say("to_node"), this.output]];
    return fields.map(([words, field]) => make("label", { class: "wp-field" }, words, field));
  }

  /** Of a weight of a tensor: row and column; of a strip its place in that, since a sample does not have them all. */
  cellFields() {
    const [layer] = this.layers;
    const { outputs, inputs, entries } = layer;
    const strip = entries !== undefined || outputs === 1;
    const sizes = strip ? [sizeOf(layer)] : [outputs, inputs];
    const fields = sizes.map((size) => numberField(size - 1));
    this.chosen = () => fields.reduce((cell, field, place) => cell * sizes[place] + Number(field.value), 0);
    const said = strip ? [say("place")] : [say("row"), say("column")];
    return fields.map((field, place) => make("label", { class: "wp-field" }, said[place], field));
  }

  limit() {
    const layer = this.layers.find(({ name }) => name === this.layer.value) ?? this.layers[0];
    for (const [field, size] of [[this.input, layer.inputs], [this.output, layer.outputs]]) {
      field.max = String(size - 1);
      field.value = String(Math.min(Number(field.value), size - 1));
    }
  }

  /**
   * @param {{edge: number, ratio: number}[]} found
   * @param {number[]} pinned
   */
  show(found, pinned) {
    this.title.hidden = !found.length;
    this.buttons.forEach((made, place) => {
      made.hidden = place >= found.length;
      if (made.hidden) return;
      const { edge, ratio } = found[place];
      this.edges[place] = edge;
      const title = edgeTitle(this.layers, edge);
      const share = `${ratio > 0 ? "+" : ""}${number(ratio, 2)}`;
      // Where all are of one tensor its name would be six times there.
      setText(made, `${this.layers[0].shape ? cellIndices(this.layers, edge) : title} ${share}`);
      made.setAttribute("aria-label", say("strong_edge", { edge: title, share }));
      made.setAttribute("aria-pressed", String(pinned.includes(edge)));
      made.dataset.edge = edgeName(this.layers, edge);
      made.dataset.sign = ratio > 0 ? "up" : "down";
    });
  }
}
