/** Gradients that a coin draws, and what momentum makes of them: the same toss as report/analysis/coin.py. */

export const SEED = 5584; // whose shown batches are typical, at any momentum
export const BATCHES = 100_000;
export const START = 1000; // batches until momentum is full, even with β = 0.99
export const SHOWN = 120; // batches after the start

/**
 * Return a generator of numbers in [0, 1): mulberry32 by Tommy Ettinger.
 * @param {number} seed
 */
function uniform(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Return independent standard normal gradients: Box and Muller, the cosine first, then the sine.
 * @param {number} [seed]
 * @param {number} [count]
 */
export function gradients(seed = SEED, count = BATCHES) {
  const next = uniform(seed);
  const found = new Float64Array(count);
  for (let place = 0; place < count; place += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    found[place] = radius * Math.cos(angle);
    if (place + 1 < count) found[place + 1] = radius * Math.sin(angle);
  }
  return found;
}

/**
 * Fill in −m, where m = β·m + (1 − β)·g begins with 0: the updates at a learning rate of one.
 * @param {Float64Array} slope  the gradients g
 * @param {number} beta  the momentum coefficient
 * @param {Float32Array} out  as long
 */
export function updates(slope, beta, out) {
  let momentum = 0;
  for (let place = 0; place < slope.length; place++) {
    momentum = beta * momentum + (1 - beta) * slope[place];
    out[place] = -momentum;
  }
  return out;
}

/**
 * Return the mean streak of Gaussian noise, in batches: Rice 1945.
 * @param {number} beta
 */
export const formula = (beta) => Math.PI / Math.acos(beta);
