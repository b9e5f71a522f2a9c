/** What keys do on the graph and on the line of batches; everywhere else they are the page's. */

const LEAPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -100, PageUp: 100 };

/**
 * @param {HTMLElement[]} elements
 * @param {{play: () => void, step: (batches: number) => void}} actions
 */
export function listenToKeys(elements, { play, step }) {
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const leap = LEAPS[/** @type {keyof typeof LEAPS} */ (event.key)];
    if (event.key === " ") play();
    else if (leap) step(Math.abs(leap) === 1 && event.shiftKey ? 10 * leap : leap);
    else if (event.key === "Home") step(-Infinity);
    else if (event.key === "End") step(Infinity);
    else return;
    event.preventDefault();
  };
  for (const element of elements) element.addEventListener("keydown", press);
}
