/**
 * The player: one state, which every control changes and everything on the screen follows.
 *
 * @typedef {import("./address.js").State} State
 * @typedef {import("./address.js").Limits} Limits
 */

import { formatAddress, lastBatch, limitsOf, MOST_PINS, parseAddress } from "./address.js";
import { Clock } from "./clock.js";
import { openSource } from "./source.js";
import { loadIndex, Run } from "./store.js";
import { say } from "./text.js";
import { watchLook } from "./theme.js";
import { View } from "./view.js";
import { edgeTitle, whole } from "./words.js";

const LEAPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -100, PageUp: 100 };
const SETTLE = 300; // ms without a change after which the address is written

/** Let the browser answer the reader between two pieces of work. */
const pause = () => new Promise((resolve) => setTimeout(resolve));

/**
 * Load the index and the first picture, and put a player into `host`.
 * @param {HTMLElement} host
 * @param {string} address  of the index
 * @throws {import("./format.js").DataError}
 */
export async function openPlayer(host, address) {
  const source = openSource(address);
  const index = await loadIndex(source);
  const player = new Player(host, index, source);
  await player.run.load(player.state.batch);
  await pause();
  player.mount();
  return player;
}

export class Player {
  /** @param {HTMLElement} host @param {any} index @param {import("./source.js").Source} source */
  constructor(host, index, source) {
    this.host = host;
    this.index = index;
    /** @type {Map<string, Run>} */
    this.runs = new Map(index.runs.map((/** @type {any} */ entry) => [entry.slug, new Run(entry, source)]));
    this.limits = limitsOf(index);
    const asked = parseAddress(location.hash, this.limits);
    /** @type {State} */
    this.state = asked?.state ?? { ...this.limits.initial };
    this.pointed = -1;
    this.rested = true;
    this.clock = new Clock((batches) => this.advance(batches));
    this.abort = new AbortController();
    this.view = new View(host, index, this.limits.speeds, this.actions());
    this.element = this.view.element;
    this.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
    if (asked?.problem) this.view.say(asked.problem);
  }

  /** @returns {Run} */
  get run() {
    return /** @type {Run} */ (this.runs.get(this.state.run));
  }

  get shownRuns() {
    const { compare } = this.state;
    return compare === null ? [this.run] : [this.run, /** @type {Run} */ (this.runs.get(compare))];
  }

  get last() {
    return lastBatch(this.state, this.limits.batches);
  }

  /** @returns {import("./view.js").Model} */
  get model() {
    const { state, shownRuns: runs, last, pointed } = this;
    return { state, runs, last, pointed, playing: this.clock.playing, rested: this.rested };
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
      compare: () => this.choose({ compare: this.state.compare === null ? this.firstComparison() : null }),
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
    watchLook(signal, () => this.layout());
    const sizes = new ResizeObserver(() => this.view.sizes !== this.measured && this.layout());
    for (const element of this.view.sized) sizes.observe(element);
    const sight = new IntersectionObserver(([entry]) => this.clock.show(entry.isIntersecting));
    sight.observe(this.view.stageRow);
    addEventListener("hashchange", () => this.readAddress(), { signal });
    signal.addEventListener("abort", () => {
      this.loading?.abort();
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
    Object.assign(this.state, change);
    const { state } = this;
    if (Number.isNaN(state.batch)) state.batch = 1;
    state.batch = Math.min(Math.max(Math.round(state.batch), 1), this.last);
    this.clock.speed = state.speed;
    if (push) this.writeAddress(true);
    this.settle();
    this.view.say("");
    if ("run" in change || "compare" in change) this.layout();
    if ("edges" in change || "run" in change || "compare" in change) this.loadPinned();
    this.request();
  }

  /** @param {Partial<State>} change  of the training runs */
  choose(change) {
    const next = { ...this.state, ...change };
    // Choosing for one side what stands on the other swaps the two.
    if (next.compare === next.run) Object.assign(next, { run: this.state.compare, compare: this.state.run });
    // Some were recorded for fewer batches: the reader is told, and comes back to where they were.
    const batch = this.state.batch === this.last ? (this.left ?? this.state.batch) : this.state.batch;
    this.set({ run: next.run, compare: next.compare, batch }, true);
    this.left = this.state.batch < batch ? batch : undefined;
    if (this.left) this.view.say(say("ends_early", { last: whole(this.last) }));
  }

  firstComparison() {
    const { compare_first: first, main } = this.index;
    return first === this.state.run ? main : first;
  }

  /** @param {boolean} playing */
  play(playing) {
    if (playing && this.state.batch === this.last) this.set({ batch: 1 });
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
    const ahead = Math.min(state.batch + Math.round(this.run.entry.batches_per_shard / 2), last);
    for (const run of shownRuns) if (!run.updates(ahead)) this.fetch(run, ahead);
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

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const own = target.matches("input:not(.wp-range), select") || event.altKey || event.ctrlKey || event.metaKey;
    if (own) return;
    const leap = LEAPS[/** @type {keyof typeof LEAPS} */ (event.key)];
    if (event.key === " " && !target.matches("button")) this.play(!this.clock.playing);
    else if (leap) this.step(Math.abs(leap) === 1 && event.shiftKey ? 10 * leap : leap);
    else if (event.key === "Home") this.step(-Infinity);
    else if (event.key === "End") this.step(Infinity);
    else if (event.key === "Escape") this.showPointed(-1);
    else return;
    event.preventDefault();
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
    this.view.render(this.model);
    for (const run of shownRuns) if (!run.updates(state.batch)) this.fetch(run, state.batch);
  }

  /**
   * Load the part that holds a batch, draw when it is there, and say so when it is not to be had.
   * @param {Run} run
   * @param {number} batch
   */
  async fetch(run, batch) {
    if (run.pending.has(run.place(batch))) return;
    try {
      await run.load(batch);
    } catch (error) {
      this.fail(error, () => this.request());
      return;
    }
    this.arrived();
  }

  /** A part has come: it is drawn, and shown as loaded. */
  arrived() {
    if (!this.element.isConnected) return;
    this.view.drawScrubber(this.shownRuns, this.last);
    this.request();
  }

  /** @param {unknown} error @param {() => void} retry */
  fail(error, retry) {
    if (this.abort.signal.aborted) return;
    this.play(false);
    this.view.say(error instanceof Error ? error.message : String(error), () => {
      this.view.say("");
      retry();
    });
  }

  /** Load all of a training run as soon as the reader wants to see one weight over all of it. */
  async loadPinned() {
    this.loading?.abort();
    const { shownRuns } = this;
    const missing = shownRuns.some((run) => run.loaded < run.shards.length);
    if (!this.state.edges.length || !missing) return this.view.microscope.showProgress(1, 1);
    const loading = (this.loading = new AbortController());
    const progress = () => {
      const total = shownRuns.reduce((sum, run) => sum + run.shards.length, 0);
      if (!loading.signal.aborted) this.view.microscope.showProgress(shownRuns.reduce((sum, run) => sum + run.loaded, 0), total);
      this.arrived();
    };
    try {
      for (const run of shownRuns) await run.loadAll(this.state.batch, progress, loading.signal);
    } catch (error) {
      this.view.microscope.showProgress(1, 1);
      this.fail(error, () => this.loadPinned());
    }
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
    const address = formatAddress(this.state, this.limits);
    if (address !== location.hash) history[push ? "pushState" : "replaceState"](history.state, "", address);
  }

  /** Follow the address, after the back button or a change by hand. */
  readAddress() {
    const asked = parseAddress(location.hash, this.limits);
    if (!asked && location.hash) return; // a heading's anchor
    Object.assign(this.state, asked?.state ?? { ...this.limits.initial });
    this.clock.play(false);
    this.clock.speed = this.state.speed;
    this.view.say(asked?.problem ?? "");
    this.layout();
    this.loadPinned();
  }
}
