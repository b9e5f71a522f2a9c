/**
 * The first article's colours: red for a weight that the batch moved up, blue for down, counted from the layer's mean
 * update, and the more opaque the larger: min((v / τ)², 1), as in report/analysis/threshold.py. Which τ, the reader
 * chooses: the article's, which hardly any update reaches, or the one of compare.gif, which a fixed share of each
 * layer's updates reach (`equal_laws` in report/drawing/animation/clips.py).
 *
 * @typedef {object} Shading
 * @property {"full" | "article"} scale
 * @property {number} share    threshold as a share of τ
 * @property {boolean[]} shown which layers are drawn
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {number} outputs
 * @property {number} inputs
 * @property {string} [slug]       what an address calls it, where it is shown alone
 * @property {number[]} [shape]    of the tensor, where it is shown alone
 * @property {number[]} [entries]  of a sample: flat positions in the tensor, rising
 */

/** Return how many weights of a layer are there. @param {Layer} layer */
export const sizeOf = ({ outputs, inputs, entries }) => entries?.length ?? outputs * inputs;

/**
 * Return the opacity of an update with the sign of its deviation from the mean; −1 to 1.
 * Where τ is 0 every deviation but 0 itself is above it.
 * @param {number} update
 * @param {number} mean
 * @param {number} threshold  τ, times what the reader calls large
 */
export function signedOpacity(update, mean, threshold) {
  const deviation = update - mean;
  if (threshold <= 0) return Math.sign(deviation);
  const ratio = Math.min(Math.abs(deviation) / threshold, 1);
  return deviation < 0 ? -ratio * ratio : ratio * ratio;
}

/**
 * Shade every edge of a batch.
 * @param {Float32Array} updates  (edges); NaN where one is not known
 * @param {Layer[]} layers
 * @param {{mean: number, threshold: number}[]} laws  of each layer
 * @param {{share: number, shown: boolean[]}} view
 * @param {Float32Array} out  (edges) signed opacities; 0 in a layer that is not shown
 * @returns {number[]}  of each layer how many edges are lit: at the threshold or above it
 */
export function shade(updates, layers, laws, { share, shown }, out) {
  let edge = 0;
  return layers.map((each, layer) => {
    const end = edge + sizeOf(each);
    let lit = 0;
    if (!shown[layer]) out.fill(0, edge, end);
    else {
      const { mean, threshold } = laws[layer];
      const limit = share * threshold;
      for (; edge < end; edge++) {
        const signed = signedOpacity(updates[edge], mean, limit);
        out[edge] = signed || 0; // of what is not known nothing is drawn
        if (signed === 1 || signed === -1) lit++;
      }
    }
    edge = end;
    return lit;
  });
}

/**
 * Return the edges with the largest deviations in units of their layer's τ, largest first.
 * @param {Float32Array} updates
 * @param {Layer[]} layers
 * @param {{mean: number, threshold: number}[]} laws
 * @param {boolean[]} shown
 * @param {number} count
 * @returns {{edge: number, ratio: number}[]}  ratio: v / τ
 */
export function strongest(updates, layers, laws, shown, count) {
  /** @type {{edge: number, ratio: number}[]} */
  const best = [];
  let edge = 0;
  layers.forEach((each, layer) => {
    const { mean, threshold } = laws[layer];
    for (const end = edge + sizeOf(each); edge < end; edge++) {
      const deviation = updates[edge] - mean;
      if (!shown[layer] || !updates[edge] || !deviation) continue; // 0: it stood still; NaN: not known
      const ratio = deviation / (threshold || Math.abs(deviation));
      if (best.length === count && Math.abs(ratio) <= Math.abs(best[count - 1].ratio)) continue;
      let place = best.length;
      while (place > 0 && Math.abs(best[place - 1].ratio) < Math.abs(ratio)) place--;
      best.splice(place, 0, { edge, ratio });
      if (best.length > count) best.pop();
    }
  });
  return best;
}
