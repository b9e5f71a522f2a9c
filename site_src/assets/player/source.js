/**
 * Get the bytes of a data file: over HTTP, or, in a site that opens from the file system, too, through a script.
 * Browsers let a page from file:// load scripts but not fetch; report/site/unserved.py writes those scripts.
 */

import { DataError } from "./format.js";
import { say } from "./text.js";

/** @type {Map<string, string>} base64 by path, as far as scripts have brought it */
const brought = new Map();

/** Called by the scripts of such a site. */
globalThis.weightPlayerFile = (/** @type {string} */ path, /** @type {string} */ base64) => brought.set(path, base64);

/**
 * @typedef {object} Source
 * @property {(path: string, version?: number) => Promise<ArrayBuffer>} read
 * @property {() => number} bytes  how many bytes have been read so far
 */

/**
 * Return a source of the files beside the index.
 * @param {string} address  of index.json
 * @returns {Source}
 */
export function openSource(address) {
  const index = new URL(address, document.baseURI);
  // Where modules are addresses of their own content, data are scripts (report/site/unserved.py).
  const read = import.meta.url.startsWith("data:") ? readScript : readFetch;
  let total = 0;
  return {
    async read(path, version) {
      const url = new URL(path, index);
      // A published site changes under the same names; the version keeps a browser's cache from mixing two.
      if (version !== undefined && url.protocol !== "file:") url.searchParams.set("v", version.toString(16));
      const bytes = await read(url, path);
      total += bytes.byteLength;
      return bytes;
    },
    bytes: () => total,
  };
}

/** @param {URL} url @param {string} path @returns {Promise<ArrayBuffer>} */
async function readFetch(url, path) {
  let response;
  try {
    response = await fetch(url);
    if (response.ok) return await response.arrayBuffer();
  } catch {
    throw new DataError(say("unreachable", { name: path }));
  }
  throw new DataError(say("missing", { name: path, status: response.status }));
}

/** @param {URL} url @param {string} path @returns {Promise<ArrayBuffer>} */
function readScript(url, path) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = Object.assign(new URL(url), { pathname: `${url.pathname}.js` }).href;
    script.onload = () => {
      script.remove();
      const base64 = brought.get(path);
      brought.delete(path);
      if (base64 === undefined) reject(new DataError(say("foreign", { name: path })));
      else resolve(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
    };
    script.onerror = () => {
      script.remove();
      reject(new DataError(say("missing_copy", { name: path })));
    };
    document.head.append(script);
  });
}
