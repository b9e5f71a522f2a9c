/**
 * Come closer to a matrix, and move over it: with buttons, with keys, with the wheel while Ctrl is held (which is also
 * what a touchpad's pinch sends), and with two fingers. Two matrices that are compared are looked at alike.
 *
 * @typedef {import("./stage.js").Stage} Stage
 */

import { button, make, setText } from "./dom.js";
import { closest, moved, seen, zoomed } from "./grid.js";
import { say } from "./text.js";
import { whole } from "./words.js";

const STEP = 1.5; // times as close with one press
const WHEEL = 0.01; // of the natural logarithm of that, for a unit of the wheel
const PART = 0.2; // of what is seen: as far a key moves it
/** @type {Record<string, [number, number]>} by how much of what is seen keys move it, right and down */
const MOVES = { a: [PART, 0], d: [-PART, 0], w: [0, PART], s: [0, -PART] };

export class Zooming {
  /** @param {Stage[]} stages  one or two, with matrices @param {() => void} redraw */
  constructor(stages, redraw) {
    this.stages = stages;
    this.redraw = redraw;
    this.pinching = false;
    this.out = button(say("zoom_out"), "−", () => this.by(1 / STEP), "wp-small");
    this.in = button(say("zoom_in"), "+", () => this.by(STEP), "wp-small");
    this.all = button(say("zoom_all"), say("zoom_all"), () => this.by(0), "wp-small");
    this.said = make("span", { class: "wp-seen", role: "status" });
    const group = { class: "wp-row wp-zoom", role: "group", "aria-label": say("zoom") };
    this.element = make("div", group, this.out, this.in, this.all, this.said);
    for (const stage of stages) {
      stage.zoom = this;
      this.listen(stage);
    }
    this.show();
  }

  /** Whether less than all is seen. */
  get close() {
    return this.stages[0].picture.zoom.scale > 1;
  }

  /**
   * Come closer to the middle of what is seen, or see all.
   * @param {number} factor  0: all
   */
  by(factor) {
    const { box } = this.stages[0].picture;
    if (box) this.at(this.stages[0], factor, box.left + box.width / 2, box.top + box.height / 2);
  }

  /**
   * Come closer to a point.
   * @param {Stage} stage
   * @param {number} factor
   * @param {number} x  CSS pixels of the canvas
   * @param {number} y
   */
  at({ picture }, factor, x, y) {
    if (picture.places) this.look(zoomed(picture.places, picture.zoom, factor, x, y));
  }

  /** @param {Stage} stage @param {number} right  CSS pixels @param {number} down */
  move({ picture }, right, down) {
    if (picture.places) this.look(moved(picture.places, picture.zoom, right, down));
  }

  /** @param {import("./grid.js").Zoom} zoom */
  look(zoom) {
    for (const { picture, box } of this.stages) {
      if (picture.places) picture.look(zoom);
      else picture.zoom = zoom;
      // One finger moves the matrix where there is something to move; else it scrolls the page.
      box.style.touchAction = zoom.scale > 1 ? "none" : "";
    }
    this.show();
    this.redraw();
  }

  /** Say what is seen. */
  show() {
    const { zoom, places } = this.stages[0].picture;
    this.out.disabled = this.all.disabled = zoom.scale === 1;
    this.in.disabled = Boolean(places) && zoom.scale >= closest(places.grid, places.box);
    if (!places || zoom.scale === 1) return setText(this.said, "");
    const { rows, columns } = seen(places);
    const [top, bottom, left, right] = [...rows, ...columns].map(whole);
    return setText(this.said, say(places.grid.wrapped ? "seen_lines" : "seen", { top, bottom, left, right }));
  }

  /** @param {Stage} stage */
  listen(stage) {
    const { box } = stage;
    const at = (/** @type {{clientX: number, clientY: number}} */ { clientX, clientY }) => {
      const { left, top } = stage.canvas.getBoundingClientRect();
      return [clientX - left, clientY - top];
    };
    box.addEventListener(
      "wheel",
      (/** @type {WheelEvent} */ event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        const [x, y] = at(event);
        this.at(stage, Math.exp(-WHEEL * event.deltaY * (event.deltaMode ? 30 : 1)), x, y);
      },
      { passive: false },
    );
    box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const factor = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: 0 }[event.key];
      const move = MOVES[event.key];
      if (factor !== undefined) this.by(factor);
      else if (move && this.close) this.move(stage, move[0] * stage.picture.box.width, move[1] * stage.picture.box.height);
      else return;
      event.preventDefault();
    });
    /** @type {Map<number, {clientX: number, clientY: number}>} */
    const fingers = new Map();
    const lift = ({ pointerId }) => {
      fingers.delete(pointerId);
      if (!fingers.size) this.pinching = false;
    };
    box.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (event.pointerType !== "touch") return;
      fingers.set(event.pointerId, event);
      if (fingers.size === 2) this.pinching = true;
    });
    box.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (!fingers.has(event.pointerId)) return;
      const before = [...fingers.values()];
      fingers.set(event.pointerId, event);
      if (before.length !== 2) return;
      const [[a, b], [c, d]] = [before, [...fingers.values()]].map((pair) => pair.map(at));
      const middle = ([p, q]) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
      const apart = ([p, q]) => Math.hypot(p[0] - q[0], p[1] - q[1]);
      const [from, to] = [middle([a, b]), middle([c, d])];
      this.at(stage, apart([c, d]) / (apart([a, b]) || 1), to[0], to[1]);
      this.move(stage, to[0] - from[0], to[1] - from[1]);
    });
    for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, lift);
  }
}
