/** Whether the page is shown within another one (explore.html?embed=1#…): then the player is all that is seen of it. */
export const embedded = new URLSearchParams(globalThis.location?.search).has("embed");

/**
 * Return the address of the page, alone or as it is embedded.
 * @param {string} hash
 * @param {boolean} within
 */
export function pageAddress(hash, within) {
  const url = new URL(location.href);
  url.search = within ? "?embed=1" : "";
  url.hash = hash;
  return url.href;
}
