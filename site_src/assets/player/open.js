/**
 * Load the index and the first picture, and make a player of them.
 *
 * @typedef {import("./address.js").State} State
 * @typedef {import("./source.js").Source} Source
 */

import { tensorOf } from "./address.js";
import { Player } from "./player.js";
import { openSource } from "./source.js";
import { loadIndex, loadTensor } from "./store.js";

/** Let the browser answer the reader between two pieces of work. */
const pause = () => new Promise((resolve) => setTimeout(resolve));

/**
 * Put a player into `host`. A part that cannot be had is the player's affair.
 * @param {HTMLElement} host
 * @param {string} address  of the index
 * @throws {import("./format.js").DataError}
 */
export async function openPlayer(host, address) {
  const source = openSource(address);
  const root = await loadIndex(source);
  const player = await prepare(host, root, source, tensorOf(location.hash, root));
  player.mount();
  return player;
}

/**
 * Return a player that has its first picture.
 * @param {HTMLElement} host
 * @param {any} root  the first index
 * @param {Source} source
 * @param {string} slug  of a tensor; "" of the graph
 * @param {Partial<State>} [kept]  of the state of the player before it
 * @throws {import("./format.js").DataError}
 */
async function prepare(host, root, source, slug, kept) {
  // What belongs to matrices is not loaded with the graph of the article.
  const [index, parts] = await Promise.all([
    slug ? loadTensor(root, source, slug) : root,
    root.tensors.length ? import("./tensors.js") : undefined,
  ]);
  const open = (/** @type {string} */ other, /** @type {Partial<State>} */ state) => prepare(host, root, source, other, state);
  const player = new Player(host, index, source, { root, parts, kept, open });
  await Promise.all(player.shownRuns.map((run) => player.loader.want(run, player.state.batch)));
  await pause();
  return player;
}

