/**
 * One picture, a graph or a matrix: which training run it shows, its canvas, and what pointer and finger do to it.
 *
 * @typedef {import("./store.js").Run} Run
 *
 * @typedef {object} Actions
 * @property {(slug: string) => void} choose   another training run
 * @property {(edge: number) => void} point    at an edge, −1 for none
 * @property {(edge: number) => void} tap
 * @property {(batches: number) => void} drag  forwards or back
 *
 * @typedef {typeof import("./draw.js").Picture | typeof import("./matrix.js").Matrix} Drawing
 */

import { shade, sizeOf } from "./colour.js";
import { make } from "./dom.js";
import { say } from "./text.js";

const REACH = { mouse: 6, touch: 18 }; // CSS pixels from an edge that still mean it
const DRAG_START = 10; // CSS pixels after which a finger drags instead of tapping
const PIXELS_A_BATCH = 5;

export class Stage {
  /**
   * @param {any} index
   * @param {Drawing} Drawing  of what the index holds
   * @param {string} name  of the control that chooses the training run
   * @param {Actions} actions
   */
  constructor(index, Drawing, name, actions) {
    this.index = index;
    this.actions = actions;
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.picture = new Drawing(this.canvas, index);
    this.waiting = make("p", { class: "wp-waiting", hidden: true }, say("loading"));
    this.select = make("select", { class: "wp-select", "aria-label": name });
    this.select.addEventListener("change", () => actions.choose(this.select.value));
    this.box = make("div", { class: "wp-canvas", tabIndex: 0, role: "group" }, this.canvas, this.waiting);
    this.element = make("div", { class: "wp-stage" }, this.select, this.box);
    const edges = index.layers.reduce((/** @type {number} */ sum, l) => sum + sizeOf(l), 0);
    this.signed = new Float32Array(edges);
    /** @type {import("./zoom.js").Zooming | undefined} of a matrix */
    this.zoom = undefined;
    this.shaded = ""; // what decided the opacities that are there
    this.listen();
  }

  /**
   * Offer training runs, and show one.
   * @param {Run} run
   * @param {import("./store.js").RunEntry[]} offered
   */
  setRun(run, offered) {
    this.run = run;
    // One that is replayed has another name than the recording.
    if (this.named !== run.entry.label) {
      this.named = run.entry.label;
      const entries = offered.map((entry) => (entry.slug === run.entry.slug ? run.entry : entry));
      this.select.replaceChildren(...entries.map(({ slug, label }) => make("option", { value: slug }, label)));
    }
    this.select.value = run.entry.slug;
    this.select.hidden = offered.length === 1 && run.entry === offered[0];
  }

  /**
   * Take the size that the page gives. What was drawn is drawn again, since the next batch may still be on its way.
   * @param {import("./plots.js").Look} look
   * @param {number} last  batch
   * @param {number} batch  that is wanted, where nothing was drawn
   */
  layout(look, last, batch) {
    const { clientWidth, clientHeight } = this.box;
    if (!clientWidth || !clientHeight) return;
    this.picture.fit(clientWidth, clientHeight, look, last);
    this.shaded = "";
    this.draw(...(this.drawn ?? [batch, []]), true);
  }

  /**
   * Show a batch; while it is not loaded, the last picture stays.
   * @param {number} batch
   * @param {import("./colour.js").Shading} view
   * @param {import("./draw.js").Mark[]} marks
   * @param {{ready: boolean, lost: boolean}} parts  whether every graph can show it, and whether one never will
   * @returns {number[] | null}  lit edges of each layer
   */
  show(batch, view, marks, { ready, lost }) {
    const { run, picture } = this;
    const updates = run?.updates(batch);
    this.waiting.hidden = ready || lost;
    if (lost && picture.places) {
      this.signed.fill(0);
      this.draw(batch, [], true);
      this.shaded = "";
    }
    if (!ready || !updates || !picture.places) return null;
    const laws = run.scales[view.scale];
    // What lies over the weights may be drawn anew without them.
    const shaded = [run.entry.label, run.entry.slug, batch, view.share, view.shown, ...laws.map(({ threshold }) => threshold)].join();
    const fresh = shaded !== this.shaded;
    if (fresh) this.lit = shade(updates, this.index.layers, laws, view, this.signed);
    this.shaded = shaded;
    this.draw(batch, marks, fresh);
    return this.lit;
  }

  /** @param {number} batch @param {import("./draw.js").Mark[]} marks @param {boolean} fresh  whether weights changed */
  draw(batch, marks, fresh) {
    /** @type {[number, import("./draw.js").Mark[]]} */
    this.drawn = [batch, marks];
    this.picture.draw(this.signed, batch, marks, fresh);
  }

  /** @param {string} words */
  describe(words) {
    if (this.words !== words) this.box.setAttribute("aria-label", (this.words = words));
  }

  /** @param {PointerEvent} event */
  edgeAt(event) {
    if (!this.picture.places) return -1;
    const { left, top } = this.canvas.getBoundingClientRect();
    const reach = event.pointerType === "mouse" ? REACH.mouse : REACH.touch;
    return this.picture.at(event.clientX - left, event.clientY - top, this.signed, reach);
  }

  listen() {
    /** @type {{x: number, y: number, moved: boolean, batches: number} | null} */
    let press = null;
    this.box.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (!event.isPrimary || event.button !== 0) return;
      press = { x: event.clientX, y: event.clientY, moved: false, batches: 0 };
      // Wherever the button is let go, it is let go here.
      this.box.setPointerCapture(event.pointerId);
    });
    this.box.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (!event.isPrimary) return;
      if (this.zoom?.pinching) press = null;
      const far = press ? [event.clientX - press.x, event.clientY - press.y] : [0, 0];
      if (press && Math.hypot(far[0], this.zoom?.close ? far[1] : 0) > DRAG_START) press.moved = true;
      if (press?.moved && this.zoom?.close) {
        this.zoom.move(this, far[0], far[1]);
        Object.assign(press, { x: event.clientX, y: event.clientY });
      } else if (press?.moved) {
        const batches = Math.round((event.clientX - press.x) / PIXELS_A_BATCH);
        if (batches !== press.batches) this.actions.drag(batches - press.batches);
        press.batches = batches;
      } else if (event.pointerType === "mouse") this.actions.point(this.edgeAt(event));
    });
    this.box.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => {
      if (!event.isPrimary) return;
      const edge = press && !press.moved ? this.edgeAt(event) : -1;
      press = null;
      if (edge >= 0) this.actions.tap(edge);
    });
    this.box.addEventListener("pointercancel", () => (press = null));
  }
}
