/** What the player says, in the page's language: templates/<language>/words/interface.toml, which every page carries. */

/** @type {Record<string, string> | undefined} */
let texts;

/**
 * Return a text with its places filled.
 * @param {string} key
 * @param {Record<string, string | number>} [values]  by the names in braces
 */
export function say(key, values = {}) {
  texts ??= JSON.parse(/** @type {HTMLElement} */ (document.getElementById("words")).textContent ?? "").player;
  return /** @type {any} */ (texts)[key].replace(/\{(\w+)\}/g, (_, /** @type {string} */ name) => String(values[name]));
}
