/** What scripts say, in the page's language: templates/<language>/words/interface.toml, which every page carries. */

/**
 * Return what says the texts of a section.
 * @param {string} section
 */
export function speaker(section) {
  /** @type {Record<string, string> | undefined} */
  let texts;
  /**
   * Return a text with its places filled.
   * @param {string} key
   * @param {Record<string, string | number>} [values]  by the names in braces
   */
  return (key, values = {}) => {
    texts ??= JSON.parse(/** @type {HTMLElement} */ (document.getElementById("words")).textContent ?? "")[section];
    return /** @type {any} */ (texts)[key].replace(/\{(\w+)\}/g, (_, /** @type {string} */ name) => String(values[name]));
  };
}

/** What the player says. */
export const say = speaker("player");
