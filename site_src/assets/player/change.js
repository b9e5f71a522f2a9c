/** From one view of a recording to another. */

import { say } from "./text.js";

/**
 * Show another tensor, or the graph, instead of what is shown.
 * @param {import("./player.js").Player} player  that is shown
 * @param {string} slug  of a tensor; "" of the graph
 * @param {boolean} [asked]  whether the address says so already, and all else that is wanted
 */
export async function change(player, slug, asked = false) {
  const { batch, run, compare, replay, scale, threshold, speed } = player.state;
  const kept = asked ? undefined : { batch, run, compare, replay, scale, threshold, speed };
  player.changing = slug;
  player.play(false);
  player.view.say(say("loading"));
  try {
    const next = await player.open(slug, kept);
    if (player.changing !== slug || !player.element.isConnected) return; // the reader has gone on
    const focused = player.element.contains(document.activeElement);
    if (!asked) player.writeAddress(false); // the entry that is left shall say what was there
    player.close();
    /** @type {any} */ (player.host).content = next;
    next.mount();
    next.hash = location.hash;
    if (!asked) next.writeAddress(true);
    if (focused) next.picker?.select.focus({ preventScroll: true });
  } catch (error) {
    if (player.changing !== slug) return;
    player.picker?.reset();
    player.view.say(error instanceof Error ? error.message : String(error), () => change(player, slug, asked));
  }
}
