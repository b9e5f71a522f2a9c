/**
 * What is shown: the graph, or a tensor by its name. Comes only with a recording that offers tensors.
 *
 * @typedef {object} Offer  of the index
 * @property {string} slug
 * @property {string} name
 * @property {number} rows
 * @property {number} columns
 * @property {"whole" | "sample"} kept
 * @property {number} entries   that are shown
 * @property {number} steps     that are shown
 * @property {number} recorded  steps that there are
 */

import { make, setText } from "./dom.js";
import { say } from "./text.js";
import { counted, whole } from "./words.js";

export { Matrix } from "./matrix.js";
export { Zooming } from "./zoom.js";

const MANY = 12; // tensors from which on their names can be searched

export class Picker {
  /**
   * @param {{tensors: Offer[], geometry?: any, every: number}} root  the first index
   * @param {string} current  slug; "" of the graph
   * @param {(slug: string) => void} onChoice
   */
  constructor({ tensors, geometry, every }, current, onChoice) {
    this.current = current;
    const offers = tensors.map((each) => ({ slug: each.slug, words: say("tensor_option", shapeOf(each)) }));
    this.offers = geometry ? [{ slug: "", words: say("graph") }, ...offers] : offers;
    this.select = make("select", { class: "wp-select wp-tensors" });
    this.select.addEventListener("change", () => onChoice(this.select.value));
    this.search = make("input", { type: "search", class: "wp-search", placeholder: say("search"), "aria-label": say("search") });
    this.search.addEventListener("input", () => this.offer());
    this.search.hidden = tensors.length <= MANY;
    this.found = make("span", { class: "wp-found", role: "status" });
    const offer = tensors.find(({ slug }) => slug === current);
    this.note = make("p", { class: "wp-note" }, ...(offer ? [shownWords(offer, every)] : []));
    const field = make("label", { class: "wp-field" }, say("shown"), this.select);
    this.element = make("div", { class: "wp-row wp-picker" }, field, this.search, this.found, this.note);
    this.offer();
  }

  /** Offer what the reader searches for, and what is shown. */
  offer() {
    const wanted = this.search.value.trim().toLowerCase();
    const fitting = this.offers.filter(({ words }) => words.toLowerCase().includes(wanted));
    const shown = this.offers.filter((each) => fitting.includes(each) || each.slug === this.current);
    this.select.replaceChildren(...shown.map(({ slug, words }) => make("option", { value: slug }, words)));
    this.reset();
    setText(this.found, wanted ? say("found", { count: whole(fitting.length) }) : "");
  }

  /** Say again what is shown: another choice came to nothing. */
  reset() {
    this.select.value = this.current;
  }
}

/** @param {Offer} offer */
const shapeOf = ({ name, rows, columns }) => ({ name, rows: whole(rows), columns: whole(columns) });

/** Say which weights and which steps are shown, where that is not all. @param {Offer} offer @param {number} every */
function shownWords(offer, every) {
  const { kept, entries, rows, columns, steps, recorded } = offer;
  const values = { entries: whole(entries), size: whole(rows * columns), steps: whole(steps), recorded: whole(recorded) };
  const strip = kept === "whole" && rows === 1;
  const parts = [strip ? counted("shown_strip", columns) : say(kept === "whole" ? "shown_whole" : "shown_sample", values)];
  if (steps < recorded) parts.push(say("shown_steps", values));
  if (every > 1) parts.push(say("shown_every", { every }));
  return parts.join(" ");
}
