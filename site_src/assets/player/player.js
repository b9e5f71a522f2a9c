/**
 * The player: one state, which every control changes and everything on the screen follows.
 *
 * @typedef {import("./address.js").State} State
 * @typedef {import("./address.js").Limits} Limits
 * @typedef {(slug: string, kept?: Partial<State>) => Promise<Player>} Open
 */

import { formatAddress, lastBatch, limitsOf, MOST_PINS, parseAddress, tensorOf } from "./address.js";
import { change } from "./change.js";
import { Clock } from "./clock.js";
import { Picture } from "./draw.js";
import { embedded } from "./embed.js";
import { listenToKeys } from "./keys.js";
import { Loader } from "./loader.js";
import { csvOf } from "./share.js";
import { say } from "./text.js";
import { watchLook } from "./theme.js";
import { View } from "./view.js";
import { firstComparison, Which } from "./which.js";
import { edgeTitle, whole } from "./words.js";

const SETTLE = 300; // ms without a change after which the address is written

export class Player {
  /**
   * @param {HTMLElement} host
   * @param {any} index  of what is shown
   * @param {import("./source.js").Source} source
   * @param {{root: any, parts?: typeof import("./tensors.js"), kept?: Partial<State>, open: Open}} from  the first
   *   index, what belongs to tensors, what was chosen before, and what makes the player of another tensor
   */
  constructor(host, index, source, { root, parts, kept, open }) {
    this.host = host;
    this.root = root;
    this.open = open;
    this.index = index;
    this.which = new Which(index, source);
    this.limits = limitsOf(index);
    const asked = kept ? undefined : parseAddress(location.hash, this.limits);
    /** @type {State} */
    this.state = asked?.state ?? this.which.fitting({ ...this.limits.initial, ...kept });
    this.state.batch = Math.min(this.state.batch, this.last);
    this.pointed = -1;
    this.rested = true;
    this.clock = new Clock((batches) => this.advance(batches));
    this.abort = new AbortController();
    this.loader = new Loader(() => this.arrived());
    const actions = this.actions();
    const Drawing = parts && index.slug ? parts.Matrix : Picture;
    this.view = new View(host, index, Drawing, this.limits.speeds, actions, {
      hash: () => formatAddress(this.state, this.limits),
      csv: () => csvOf(this.shownRuns, this.state.edges, index.layers, this.last),
    });
    this.element = this.view.element;
    if (parts) {
      const picker = (this.picker = new parts.Picker(root, index.slug ?? "", (slug) => change(this, slug)));
      const zooming = index.slug ? new parts.Zooming(this.view.stages, () => this.request()) : undefined;
      this.view.add({ picker, zooming });
    }
    listenToKeys(this.view.keyed, actions);
    this.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ { key }) => key === "Escape" && this.showPointed(-1));
    this.asked = asked?.problem ?? "";
    this.hash = location.hash;
  }

  /** @returns {import("./store.js").Run[]} one, or the two that are compared */
  get shownRuns() {
    return this.which.shown(this.state);
  }

  get last() {
    return lastBatch(this.state, this.limits.batches);
  }

  /** @returns {import("./view.js").Model} */
  get model() {
    const { state, shownRuns: runs, last, pointed, problem } = this;
    return { state, runs, last, pointed, lost: Boolean(problem), playing: this.clock.playing, rested: this.rested };
  }

  /** Why the present batch cannot be shown, if so. */
  get problem() {
    return this.shownRuns.map((run) => this.loader.problem(run, this.state.batch)).find(Boolean);
  }

  /** @returns {import("./controls.js").Actions} */
  actions() {
    return {
      play: () => this.play(!this.clock.playing),
      step: (batches) => this.step(batches),
      jump: (batch) => this.set({ batch }),
      speed: (speed) => this.set({ speed }),
      scale: (scale) => this.set({ scale, threshold: 1 }),
      threshold: (threshold) => this.set({ threshold }),
      layer: (layer) => this.toggleLayer(layer),
      choose: (change) => this.choose(change),
      // A slider that is turned fills no history.
      replay: (replay) => this.choose({ replay }, replay?.kind !== this.state.replay?.kind),
      compare: () => this.choose({ compare: this.state.compare === null ? firstComparison(this.index, this.state) : null }),
      point: (edge) => this.point(edge),
      toggle: (edge) => this.togglePin(edge),
      reset: () => {
        this.showPointed(-1);
        this.set({ ...this.limits.initial }, true);
      },
      redraw: () => this.request(),
    };
  }

  /** Put the player into the page instead of the link that stood there, and listen. */
  mount() {
    const { signal } = this.abort;
    this.host.append(this.element);
    this.move();
    this.view.say(this.asked);
    watchLook(signal, () => this.layout());
    const sizes = new ResizeObserver(() => this.view.sizes !== this.measured && this.layout());
    for (const element of this.view.sized) sizes.observe(element);
    const sight = new IntersectionObserver(([entry]) => this.clock.show(entry.isIntersecting));
    sight.observe(this.view.stageRow);
    addEventListener("hashchange", () => this.readAddress(), { signal });
    signal.addEventListener("abort", () => {
      this.loader.rest();
      this.view.microscope.sight.disconnect();
      sizes.disconnect();
      sight.disconnect();
      this.clock.play(false);
      clearTimeout(this.settling);
    });
    this.clock.speed = this.state.speed;
    this.layout();
    this.loadPinned();
  }

  focus() {
    this.view.stages[0].box.focus({ preventScroll: true });
  }

  /** Stop everything; the element has left the page. */
  close() {
    this.abort.abort();
    this.element.remove();
  }

  /**
   * Change the state. A push makes a new entry for the back button; else the present one is brought up to date.
   * @param {Partial<State>} change
   * @param {boolean} [push]
   */
  set(change, push = false) {
    if (push) this.writeAddress(false); // the entry that is left shall say what was there
    const before = { ...this.state };
    Object.assign(this.state, change);
    const { state } = this;
    if (Number.isNaN(state.batch)) state.batch = 1;
    state.batch = Math.min(Math.max(Math.round(state.batch), 1), this.last);
    this.clock.speed = state.speed;
    if (push) this.writeAddress(true);
    this.settle();
    this.move();
    const other = state.run !== before.run || state.compare !== before.compare;
    if (other) this.layout();
    if (other || state.edges !== before.edges || !state.replay !== !before.replay) this.loadPinned();
    this.request();
  }

  /** @param {Partial<State>} change  of the training runs @param {boolean} [push] */
  choose(change, push = true) {
    const { run, compare, replay } = this.which.chosen(this.state, change);
    // Some were recorded for fewer batches: the reader is told, and comes back to where they were.
    const batch = this.state.batch === this.last ? (this.cut ?? this.state.batch) : this.state.batch;
    this.set({ run, compare, replay, batch }, push);
    this.cut = this.state.batch < batch ? batch : undefined;
    if (this.cut) this.view.say(say("ends_early", { last: whole(this.last) }));
  }

  /** What was said or given up was about where the reader has been. */
  move() {
    if (!this.problem) this.view.say("");
    const here = this.shownRuns.map((run) => `${run.entry.slug} ${run.place(this.state.batch)}`).join();
    if (this.here && here !== this.here) this.loader.forgive();
    this.here = here;
  }

  /** @param {boolean} playing */
  play(playing) {
    if (playing && this.state.batch === this.last) this.set({ batch: 1 });
    if (playing) this.loader.forgive();
    this.clock.play(playing);
    this.settle();
    this.request();
  }

  /** @param {number} batches */
  step(batches) {
    if (this.clock.playing) this.play(false);
    this.set({ batch: this.state.batch + batches });
  }

  /** @param {number} batches @returns {boolean} whether there is more to come */
  advance(batches) {
    const { shownRuns, state, last } = this;
    if (!shownRuns.every((run) => run.updates(state.batch))) return true; // wait for what is on its way
    this.set({ batch: Math.min(state.batch + batches, last) });
    const ahead = Math.min(state.batch + Math.round(shownRuns[0].entry.batches_per_shard / 2), last);
    for (const run of shownRuns) this.loader.want(run, ahead);
    if (state.batch < last) return true;
    queueMicrotask(() => this.play(false));
    return false;
  }

  /** @param {number} layer */
  toggleLayer(layer) {
    const shown = this.state.shown.map((value, place) => (place === layer ? !value : value));
    if (shown.includes(true)) this.set({ shown }, true);
    else this.view.say(say("last_layer"));
  }

  /** @param {number} edge */
  togglePin(edge) {
    const { edges } = this.state;
    const title = edgeTitle(this.index.layers, edge);
    if (edges.includes(edge)) {
      this.showPointed(-1);
      this.set({ edges: edges.filter((other) => other !== edge) }, true);
    } else if (edges.length < MOST_PINS) this.set({ edges: [...edges, edge] }, true);
    else this.view.say(say("most_pins", { count: MOST_PINS, edge: title }));
  }

  /**
   * Show an edge until another one is pointed at: what vanished when the pointer leaves could not be reached, and what
   * stands below it would move under the pointer that is on its way there.
   * @param {number} edge  −1: there is none where the pointer is
   */
  point(edge) {
    if (edge >= 0 && edge !== this.pointed) this.showPointed(edge);
  }

  /** @param {number} edge −1 for none */
  showPointed(edge) {
    this.pointed = edge;
    this.request();
  }

  /** Measure and draw all, soon. */
  layout() {
    this.measured = "";
    this.request();
  }

  /** Draw soon, once, however often this is called. */
  request() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (this.element.isConnected) this.render();
    });
  }

  render() {
    const { shownRuns, state } = this;
    if (!this.measured) {
      this.view.layout(this.model);
      this.measured = this.view.sizes;
    }
    this.tell();
    this.view.render(this.model);
    for (const run of shownRuns) this.loader.want(run, state.batch);
  }

  /** Say once that the present batch cannot be shown, for as long as it is the present one. */
  tell() {
    const { problem } = this;
    if (problem === this.told) return;
    this.told = problem;
    if (problem) this.play(false);
    this.view.say(problem?.message ?? "", problem && (() => this.again()));
  }

  again() {
    this.loader.forgive();
    this.loadPinned();
    this.request();
  }

  /** A part has come, or is given up: that is shown. */
  arrived() {
    if (!this.element.isConnected || !this.measured) return; // not there, or soon drawn anyway
    this.view.drawScrubber(this.shownRuns, this.last);
    this.showProgress();
    this.request();
  }

  /** Load all of a training run as soon as the reader wants to see one weight over all of it, or all replayed. */
  loadPinned() {
    const { shownRuns, state, loader } = this;
    if (state.edges.length || state.replay) loader.all(shownRuns, state.batch);
    else loader.rest();
  }

  /** Say how much of what is pinned is loaded. */
  showProgress() {
    const { shownRuns, state, loader } = this;
    const total = shownRuns.reduce((sum, run) => sum + run.shards.length, 0);
    const done = state.edges.length ? shownRuns.reduce((sum, run) => sum + run.loaded, 0) : total;
    this.view.microscope.showProgress(done, total, loader.busy ? undefined : () => this.again());
  }

  rest() {
    this.rested = true;
    this.writeAddress(false);
    this.request();
  }

  /** Write the address, and draw what is out of sight, when the reader has come to rest. */
  settle() {
    clearTimeout(this.settling);
    this.rested = false;
    if (!this.clock.playing) this.settling = setTimeout(() => this.rest(), SETTLE);
  }

  /** @param {boolean} push */
  writeAddress(push) {
    clearTimeout(this.settling);
    if (location.hash !== this.hash) return; // the reader is on the way to another entry, which is not ours to write
    const address = formatAddress(this.state, this.limits);
    // Within another page the way back is that page's.
    const way = push && !embedded ? "pushState" : "replaceState";
    if (address !== location.hash) history[way](history.state, "", address);
    this.hash = location.hash;
  }

  /** Follow the address, after the back button or a change by hand. */
  readAddress() {
    this.hash = location.hash;
    const slug = tensorOf(location.hash, this.root);
    const anchor = location.hash && !location.hash.includes("=");
    if (!anchor && slug !== (this.index.slug ?? "")) {
      change(this, slug, true);
      return;
    }
    const asked = parseAddress(location.hash, this.limits);
    if (!asked && location.hash) return; // a heading's anchor
    Object.assign(this.state, asked?.state ?? { ...this.limits.initial });
    this.clock.play(false);
    this.clock.speed = this.state.speed;
    this.move();
    this.view.say(asked?.problem ?? "");
    this.layout();
    this.loadPinned();
  }
}
