export const CALM_SPEED = 2; // batches a second, for readers who asked their system for less motion

/** Keep time while the reader lets the recording play; nothing runs otherwise. */
export class Clock {
  /**
   * @param {(batches: number) => boolean} advance  moves on by whole batches; false when the end is reached
   */
  constructor(advance) {
    this.advance = advance;
    this.playing = false;
    this.visible = true;
    this.speed = 10;
    this.request = 0;
    this.last = 0;
    this.due = 0;
  }

  /** @param {boolean} playing */
  play(playing) {
    this.playing = playing;
    this.settle();
  }

  /** Stand still while nobody can see it, and go on when they can. @param {boolean} visible */
  show(visible) {
    this.visible = visible;
    this.settle();
  }

  settle() {
    const running = this.playing && this.visible;
    if (running && !this.request) {
      this.last = performance.now();
      this.due = 0;
      this.request = requestAnimationFrame(this.tick);
    } else if (!running && this.request) {
      cancelAnimationFrame(this.request);
      this.request = 0;
    }
  }

  tick = (/** @type {number} */ now) => {
    this.request = requestAnimationFrame(this.tick);
    // After a hitch it goes on where it was: jumping ahead would hide what the reader waits to see.
    const passed = Math.min(Math.max(now - this.last, 0), 250);
    this.last = now;
    this.due += (passed * this.speed) / 1000;
    const batches = Math.floor(this.due);
    if (!batches) return;
    this.due -= batches;
    if (!this.advance(batches)) this.play(false);
  };
}
