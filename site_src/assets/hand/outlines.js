/** Values as outlines for SVG paths: first those above zero, then those below. */

const WIDE = 0.8; // of the room of a batch: its bar

/**
 * Return bars from zero; the largest is one high.
 * @param {ArrayLike<number>} values
 */
export function bars(values) {
  const largest = Math.max(...Array.from(values, Math.abs));
  const outlines = ["", ""];
  for (let place = 0; place < values.length; place++) {
    const end = (-values[place] / largest).toFixed(3);
    outlines[values[place] > 0 ? 0 : 1] += `M${(place + (1 - WIDE) / 2).toFixed(1)},0h${WIDE}V${end}h-${WIDE}z`;
  }
  return outlines;
}

/**
 * Return a piece for each streak, one high, however small its values are.
 * @param {ArrayLike<number>} values
 */
export function streaks(values) {
  const outlines = ["", ""];
  for (let first = 0, place = 1; place <= values.length; place++) {
    if (place < values.length && values[place] > 0 === values[first] > 0) continue;
    outlines[values[first] > 0 ? 0 : 1] += `M${first},0H${place}V1H${first}z`;
    first = place;
  }
  return outlines;
}
