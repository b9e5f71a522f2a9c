/**
 * Which training runs are shown: one or two, and the left one as it was or with its gradients sent through another
 * optimizer.
 *
 * @typedef {import("./address.js").State} State
 */

import { Replayed } from "./replay.js";
import { Run } from "./store.js";

/**
 * Return what to compare with first; null where there is nothing.
 * @param {any} index
 * @param {State} state
 * @returns {string | null}
 */
export function firstComparison(index, { run, replay }) {
  if (replay) return run;
  return index.compare_first === run ? index.main : index.compare_first;
}

export class Which {
  /** @param {any} index @param {import("./source.js").Source} source */
  constructor(index, source) {
    this.index = index;
    /** @type {Map<string, Run>} */
    this.runs = new Map(index.runs.map((/** @type {any} */ entry) => [entry.slug, new Run(entry, source)]));
  }

  /** @param {string} slug @returns {Run} */
  run(slug) {
    return /** @type {Run} */ (this.runs.get(slug));
  }

  /** @param {State} state @returns {Run[]} */
  shown({ run: slug, compare, replay }) {
    const run = this.run(slug);
    if (!replay) this.replayed = undefined;
    else if (this.replayed?.run !== run || this.replayed.choice !== replay) {
      this.replayed = new Replayed(run, replay, this.index, this.replayed);
    }
    const left = this.replayed ?? run;
    return compare === null ? [left] : [left, this.run(compare)];
  }

  /**
   * Return a state of another view with the training runs that there are in this one.
   * @param {State} state
   */
  fitting(state) {
    const run = this.runs.has(state.run) ? state.run : this.index.main;
    const known = state.compare !== null && this.runs.has(state.compare) && (state.compare !== run || state.replay);
    return { ...state, run, compare: known ? state.compare : null };
  }

  /**
   * Return the state with other training runs; the recording stands beside itself only where one of the two is replayed.
   * @param {State} state
   * @param {Partial<State>} change
   */
  chosen(state, change) {
    const next = { ...state, ...change };
    if (next.compare !== next.run || next.replay) return next;
    // The second graph's own choice can be used until the frame in which that graph goes away.
    if ("replay" in change || state.compare === null) return { ...next, compare: null };
    return { ...next, run: /** @type {string} */ (state.compare), compare: state.run }; // the two are swapped
  }
}
