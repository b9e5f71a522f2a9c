/**
 * The small player of the home page: the film's poster until the reader presses play, then the same picture drawn
 * from the recording, batch after batch.
 */

import { CALM_SPEED, Clock } from "./clock.js";
import { shade, sizeOf } from "./colour.js";
import { icon, make } from "./dom.js";
import { Picture } from "./draw.js";
import { openSource } from "./source.js";
import { loadIndex, Run } from "./store.js";
import { say } from "./text.js";
import { currentLook, watchLook } from "./theme.js";

/**
 * Load the beginning of the recording.
 * @param {HTMLElement & {address: string}} host
 * @param {HTMLButtonElement} button  on the poster
 * @throws {import("./format.js").DataError}
 */
export async function openHero(host, button) {
  const source = openSource(host.address);
  const index = await loadIndex(source);
  const run = new Run(index.runs.find((/** @type {any} */ { slug }) => slug === index.main), source);
  await run.load(1);
  return new Hero(host, button, index, run);
}

class Hero {
  /** @param {HTMLElement} host @param {HTMLButtonElement} button @param {any} index @param {Run} run */
  constructor(host, button, index, run) {
    Object.assign(this, { host, button, index, run });
    this.batch = 1;
    this.asked = 0; // the last part that was loaded ahead
    this.abort = new AbortController();
    this.message = make("p", { class: "wp-message wp-hero-message", role: "alert" });
    this.canvas = make("canvas", { class: "wp-hero-canvas", role: "img", "aria-label": say("hero") });
    this.picture = new Picture(this.canvas, index);
    this.signed = new Float32Array(index.layers.reduce((/** @type {number} */ sum, l) => sum + sizeOf(l), 0));
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.clock = new Clock((batches) => this.advance(batches));
    this.clock.speed = calm ? CALM_SPEED : 1000 / index.milliseconds;
    host.append(this.canvas, this.message);
    const sizes = new ResizeObserver(() => this.layout());
    sizes.observe(this.canvas);
    const sight = new IntersectionObserver(([entry]) => this.clock.show(entry.isIntersecting));
    sight.observe(this.canvas);
    const { signal } = this.abort;
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      sight.disconnect();
    });
    watchLook(signal, () => this.layout());
    this.layout();
  }

  press() {
    const playing = !this.clock.playing;
    this.message.textContent = "";
    if (playing && this.batch === this.run.batches) this.batch = 1;
    this.clock.play(playing);
    this.label(playing);
    this.draw();
  }

  /** @param {boolean} playing */
  label(playing) {
    this.button.replaceChildren(icon(playing ? "pause" : "play"), say(playing ? "pause" : "play"));
  }

  layout() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.picture.fit(clientWidth, clientHeight, currentLook(this.host, this.index.colours), this.run.batches);
    this.draw();
  }

  draw() {
    const updates = this.run.updates(this.batch);
    if (!updates || !this.picture.places) return;
    const view = { scale: "article", share: 1, shown: this.index.layers.map(() => true) };
    shade(updates, this.index.layers, this.run.scales.article, view, this.signed);
    this.picture.draw(this.signed, this.batch, []);
  }

  /** @param {number} batches */
  advance(batches) {
    const { run } = this;
    const next = Math.min(this.batch + batches, run.batches);
    const ahead = Math.min(next + Math.round(run.entry.batches_per_shard / 2), run.batches);
    if (this.asked !== run.place(ahead)) {
      this.asked = run.place(ahead);
      run.load(ahead).catch(() => {}); // asked for again when it is needed, and then missed aloud
    }
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
    this.message.remove();
    this.canvas.remove();
  }
}
