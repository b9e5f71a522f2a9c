/**
 * The small player of the home page: the film's poster until the reader presses play, then the same picture drawn
 * from the recording, batch after batch.
 */

import { Clock } from "./clock.js";
import { shade } from "./colour.js";
import { icon, make } from "./dom.js";
import { Picture } from "./draw.js";
import { place } from "./geometry.js";
import { openSource } from "./source.js";
import { loadIndex, Run } from "./store.js";
import { currentLook, watchLook } from "./theme.js";

const CALM_SPEED = 2; // batches a second, for readers who asked their system for less motion

export class Hero {
  /** @param {HTMLElement & {address: string}} host */
  constructor(host) {
    this.host = host;
    this.abort = new AbortController();
    this.batch = 1;
    this.button = make("button", { type: "button", class: "wp-button wp-hero-button" });
    this.message = make("p", { class: "wp-message", role: "alert" });
    this.button.addEventListener("click", () => this.press());
    this.clock = new Clock((batches) => this.advance(batches));
    host.append(this.button, this.message);
    this.label(false);
  }

  /** @param {boolean} playing */
  label(playing) {
    this.button.replaceChildren(icon(playing ? "pause" : "play"), make("span", {}, playing ? "Pause" : "Play"));
  }

  async press() {
    const playing = !this.clock.playing;
    try {
      this.message.textContent = "";
      if (playing) await (this.opening ??= this.open());
    } catch (error) {
      this.opening = undefined;
      this.message.textContent = error instanceof Error ? error.message : String(error);
      return;
    }
    if (playing && this.batch === this.run.batches) this.batch = 1;
    this.clock.play(playing);
    this.label(playing);
    this.draw();
  }

  async open() {
    this.button.disabled = true;
    try {
      const source = openSource(this.host.address);
      this.index = await loadIndex(source);
      const { index } = this;
      this.run = new Run(index.runs.find((/** @type {any} */ { slug }) => slug === index.main), source);
      await this.run.load(1);
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.clock.speed = calm ? CALM_SPEED : 1000 / index.milliseconds;
      const edges = index.layers.reduce((/** @type {number} */ sum, l) => sum + l.outputs * l.inputs, 0);
      this.signed = new Float32Array(edges);
      this.canvas = make("canvas", { class: "wp-hero-canvas", role: "img" });
      this.canvas.setAttribute("aria-label", "The weights of the network, moving batch by batch");
      this.picture = new Picture(this.canvas, index.layers, index.faintest);
      this.host.append(this.canvas);
      this.host.dataset.state = "open";
      const { signal } = this.abort;
      const sizes = new ResizeObserver(() => this.layout());
      sizes.observe(this.canvas);
      const sight = new IntersectionObserver(([entry]) => this.clock.show(entry.isIntersecting));
      sight.observe(this.canvas);
      signal.addEventListener("abort", () => {
        sizes.disconnect();
        sight.disconnect();
      });
      watchLook(signal, () => this.layout());
      this.layout();
    } finally {
      this.button.disabled = false;
      this.button.focus({ preventScroll: true });
    }
  }

  layout() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    const { colours, density, family } = currentLook(this.host, this.index.colours);
    const places = place(this.index.geometry, this.index.margins, clientWidth, clientHeight);
    this.picture.prepare(places, density, colours, family);
    this.draw();
  }

  draw() {
    const updates = this.run?.updates(this.batch);
    if (!updates || !this.picture?.places) return;
    const view = { share: 1, shown: this.index.layers.map(() => true) };
    shade(updates, this.index.layers, this.run.entry.laws, view, this.signed);
    this.picture.draw(this.signed, this.batch, []);
  }

  /** @param {number} batches */
  advance(batches) {
    const { run } = this;
    const next = Math.min(this.batch + batches, run.batches);
    const ahead = Math.min(next + Math.round(run.entry.batches_per_shard / 2), run.batches);
    if (!run.updates(ahead)) run.load(ahead).catch(() => {});
    if (!run.updates(next)) {
      run.load(next).catch((error) => {
        this.clock.play(false);
        this.label(false);
        this.message.textContent = error.message;
      });
      return true;
    }
    this.batch = next;
    this.draw();
    if (next < run.batches) return true;
    this.label(false);
    return false;
  }

  close() {
    this.abort.abort();
    this.clock.play(false);
    this.button.remove();
    this.message.remove();
    this.canvas?.remove();
  }
}
