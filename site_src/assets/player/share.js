/** What a reader takes away: a link to what is shown, the numbers of what is pinned, the code to embed it. */

import { button, make, setText } from "./dom.js";
import { embedded, pageAddress } from "./embed.js";
import { edgeName } from "./geometry.js";
import { say } from "./text.js";

const SAID = 4000; // ms that it is said to be copied
const HEIGHT = 900; // CSS pixels of an embedded player

/** Return a text as a field of comma-separated values, whatever is in it. @param {string} text */
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

/**
 * Return all that is loaded of some edges as comma-separated values, as rounded as it is loaded.
 * @param {import("./store.js").Run[]} runs
 * @param {number[]} edges
 * @param {import("./colour.js").Layer[]} layers
 * @param {number} last  batch
 */
export function csvOf(runs, edges, layers, last) {
  const lines = [["run", "weight", "batch", "value", "update", "gradient"].join()];
  for (const run of runs) {
    for (const edge of edges) {
      const { weights, updates, gradients } = run.series(edge);
      for (let batch = 0; batch <= last; batch++) {
        if (Number.isNaN(weights[batch])) continue;
        const change = batch ? [updates[batch - 1], gradients[batch - 1]] : [NaN, NaN];
        const values = [weights[batch], ...change].map((value) => (Number.isNaN(value) ? "" : Number(value.toPrecision(6))));
        lines.push([quoted(run.entry.label), quoted(edgeName(layers, edge)), batch, ...values].join());
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/**
 * Return the code that shows the player in another page.
 * @param {string} hash
 */
export function embedCode(hash) {
  const frame = make("iframe", { width: "100%", height: String(HEIGHT), loading: "lazy", title: say("hero") });
  frame.setAttribute("src", pageAddress(hash, true));
  return frame.outerHTML;
}

export class Share {
  /** @param {{hash: () => string, csv: () => string}} what */
  constructor({ hash, csv }) {
    this.copied = make("span", { role: "status" });
    this.csv = button(say("copy_csv"), say("copy_csv"), () => this.copy(csv()), "wp-wide");
    // Where nothing may be copied by a script, the reader does it.
    this.text = make("textarea", { class: "wp-text", readOnly: true, rows: "3", hidden: true, "aria-label": say("copy_this") });
    const link = button(say("copy_link"), say("copy_link"), () => this.copy(pageAddress(hash(), false)), "wp-wide");
    const embed = button(say("copy_embed"), say("copy_embed"), () => this.copy(embedCode(hash())), "wp-wide");
    const whole = make("a", { target: "_blank", rel: "noopener" }, say("whole_page"));
    for (const event of ["pointerdown", "focus"]) whole.addEventListener(event, () => (whole.href = pageAddress(hash(), false)));
    whole.href = pageAddress(hash(), false);
    const group = { class: "wp-row wp-share", role: "group", "aria-label": say("take_away") };
    this.element = make("div", group, link, this.csv, ...(embedded ? [whole] : [embed]), this.copied, this.text);
  }

  /** @param {boolean} pinned  whether there is something to copy the numbers of */
  show(pinned) {
    this.csv.disabled = !pinned;
  }

  /** @param {string} text */
  async copy(text) {
    clearTimeout(this.saying);
    try {
      await navigator.clipboard.writeText(text);
      this.text.hidden = true;
      setText(this.copied, say("copied"));
      this.saying = setTimeout(() => setText(this.copied, ""), SAID);
    } catch {
      setText(this.copied, say("copy_this"));
      this.text.hidden = false;
      this.text.value = text;
      this.text.select();
    }
  }
}
