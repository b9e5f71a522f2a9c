/**
 * Ask for parts of training runs: for each once, once more after a moment if it does not come, and then no more until
 * the reader wants it anew.
 *
 * @typedef {import("./store.js").Run} Run
 */

const MOMENT = 1000; // ms

export class Loader {
  /** @param {() => void} onChange  a part has come, or has been given up */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {Map<string, Promise<void>>} */
    this.asked = new Map();
    /** @type {Map<string, Error>} */
    this.lost = new Map();
  }

  /**
   * Return why a batch cannot be shown; undefined where it can, or where its part is not given up.
   * @param {Run} run
   * @param {number} batch
   */
  problem(run, batch) {
    return this.lost.get(keyOf(run, batch));
  }

  /**
   * Ask for the part that holds a batch, if it is neither there nor on its way nor given up.
   * @param {Run} run
   * @param {number} batch
   * @returns {Promise<void>}  settled when the part is there or given up
   */
  want(run, batch) {
    const key = keyOf(run, batch);
    if (run.updates(batch) || this.lost.has(key)) return Promise.resolve();
    let asked = this.asked.get(key);
    if (!asked) {
      asked = this.load(run, batch, key);
      this.asked.set(key, asked);
    }
    return asked;
  }

  /** @param {Run} run @param {number} batch @param {string} key */
  async load(run, batch, key) {
    try {
      await run.load(batch).catch(async () => {
        await new Promise((resolve) => setTimeout(resolve, MOMENT));
        return run.load(batch);
      });
    } catch (error) {
      this.lost.set(key, error instanceof Error ? error : new Error(String(error)));
    }
    this.asked.delete(key);
    this.onChange();
  }

  /** Whether whole training runs are on their way. */
  get busy() {
    return this.whole !== undefined;
  }

  /**
   * Ask for all parts of training runs, nearest to `batch` first, instead of what was asked for so before.
   * @param {Run[]} runs
   * @param {number} batch
   */
  async all(runs, batch) {
    this.whole?.abort();
    const whole = (this.whole = new AbortController());
    for (const run of runs) await run.loadAll(batch, (first) => this.want(run, first), whole.signal);
    if (this.whole === whole) this.rest();
  }

  /** Ask for no more than what is wanted. */
  rest() {
    this.whole?.abort();
    this.whole = undefined;
    this.onChange();
  }

  /** Ask again for what was given up, as soon as it is wanted. */
  forgive() {
    this.lost.clear();
  }
}

/** @param {Run} run @param {number} batch */
const keyOf = (run, batch) => `${run.entry.slug} ${run.place(batch)}`;
