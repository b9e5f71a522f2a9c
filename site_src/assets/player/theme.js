/** Which colours the page has now: Material's scheme where there is one, else the system's. */

const dark = matchMedia("(prefers-color-scheme: dark)");

/**
 * Return what drawings are made with, and hand the colours to the style sheet.
 * @param {HTMLElement} host
 * @param {Record<"light" | "dark", import("./draw.js").Colours>} colours
 * @returns {import("./plots.js").Look}
 */
export function currentLook(host, colours) {
  const scheme = document.body.getAttribute("data-md-color-scheme");
  const name = scheme === null ? (dark.matches ? "dark" : "light") : scheme === "slate" ? "dark" : "light";
  const { paper, ink, increase, decrease } = colours[name];
  host.dataset.scheme = name;
  for (const [key, value] of Object.entries({ paper, ink, up: increase, down: decrease })) {
    host.style.setProperty(`--wp-${key}`, value);
  }
  // Above three device pixels a CSS pixel nobody sees a difference, and a phone gets warm.
  return { colours: colours[name], density: Math.min(devicePixelRatio || 1, 3), family: getComputedStyle(host).fontFamily };
}

/**
 * Tell when the scheme, or the density of the screen, changes.
 * @param {AbortSignal} signal
 * @param {() => void} onChange
 */
export function watchLook(signal, onChange) {
  const observer = new MutationObserver(onChange);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
  signal.addEventListener("abort", () => observer.disconnect());
  dark.addEventListener("change", onChange, { signal });
  addEventListener("resize", onChange, { signal }); // zooming changes the density
}
