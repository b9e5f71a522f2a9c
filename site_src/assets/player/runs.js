/**
 * Same-sign runs: consecutive batches in which one weight's updates keep their sign. An update of exactly zero ends a
 * run. NaN stands for what is not loaded: a run that touches it may be longer than what is known of it.
 *
 * @typedef {object} SignRun
 * @property {number} first   batch, counted from 1
 * @property {number} last    batch
 * @property {number} sign    1 up, −1 down
 * @property {boolean} open   whether its ends may lie beyond what is loaded
 */

/**
 * Return the run that a batch is in, or null where the update is zero or not loaded.
 * @param {Float32Array} updates  (batches) of one edge
 * @param {number} batch
 * @returns {SignRun | null}
 */
export function runAt(updates, batch) {
  const sign = Math.sign(updates[batch - 1]);
  if (!sign) return null;
  let first = batch;
  let last = batch;
  while (first > 1 && Math.sign(updates[first - 2]) === sign) first--;
  while (last < updates.length && Math.sign(updates[last]) === sign) last++;
  const open = (first > 1 && Number.isNaN(updates[first - 2])) || (last < updates.length && Number.isNaN(updates[last]));
  return { first, last, sign, open };
}

/**
 * Return all runs that reach into a window of batches, in order.
 * @param {Float32Array} updates
 * @param {number} from  batch
 * @param {number} to    batch
 * @returns {SignRun[]}
 */
export function runsBetween(updates, from, to) {
  const runs = [];
  for (let batch = from; batch <= to; batch++) {
    const run = runAt(updates, batch);
    if (!run) continue;
    runs.push(run);
    batch = run.last;
  }
  return runs;
}

/**
 * Return the mean same-sign run as the page Method defines it: pairs of non-zero neighbours over flips; NaN without a flip.
 * @param {Float32Array} updates
 */
export function meanRun(updates) {
  let pairs = 0;
  let flips = 0;
  for (let place = 1; place < updates.length; place++) {
    const product = Math.sign(updates[place - 1]) * Math.sign(updates[place]);
    if (!product) continue; // NaN is not a number, and falsy
    pairs++;
    if (product < 0) flips++;
  }
  return flips ? pairs / flips : NaN;
}
