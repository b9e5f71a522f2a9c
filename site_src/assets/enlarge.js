// @ts-check
/**
 * Figures can be enlarged: a press on the picture, or on the button below it, shows it as large as the window, on a
 * phone larger.
 *
 * The browser's own <dialog> brings the rest: Escape closes it, the focus stays inside and comes back. What it says comes
 * from interface.toml, which the page carries.
 */
(() => {
  "use strict";

  const texts = JSON.parse(document.getElementById("words")?.textContent ?? "{}").enlarge;
  if (!texts) return;

  /** @returns {HTMLDialogElement} the one dialog, made when it is first needed */
  const make = () => {
    const dialog = document.createElement("dialog");
    dialog.className = "enlarged";
    dialog.innerHTML =
      '<form method="dialog"><button type="submit"></button></form>' +
      '<div class="enlarged__picture" tabindex="0" role="group"></div>';
    /** @type {HTMLElement} */ (dialog.querySelector("button")).textContent = texts.close;
    // A press beside the picture, on the dialog itself or the empty space around the picture, closes it.
    dialog.addEventListener("click", (event) => {
      if (!(event.target instanceof HTMLImageElement)) dialog.close();
    });
    document.body.append(dialog);
    return dialog;
  };

  /** @type {HTMLDialogElement | undefined} */
  let dialog;

  /** @param {HTMLElement} figure whose picture of the scheme that is seen is shown */
  const enlarge = (figure) => {
    dialog ??= make();
    // Of a figure in parts, the one that the reader has chosen.
    const chosen = [...figure.querySelectorAll(".part")].find((part) => getComputedStyle(part).display !== "none");
    const images = /** @type {HTMLImageElement[]} */ ([...(chosen ?? figure).querySelectorAll("img")]);
    const copies = images.map((image) => {
      const copy = document.createElement("img");
      // The fragment comes along: the picture follows the scheme in the dialog as well.
      copy.src = image.src;
      copy.alt = image.alt;
      return copy;
    });
    const place = /** @type {HTMLElement} */ (dialog.querySelector(".enlarged__picture"));
    place.replaceChildren(...copies);
    for (const named of [dialog, place]) named.setAttribute("aria-label", titleOf(figure));
    dialog.showModal();
  };

  /** @param {HTMLElement} figure */
  const titleOf = (figure) => figure.querySelector("figcaption strong")?.textContent?.replace(/[.。]$/, "") ?? texts.unnamed;

  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("figure.figure"))) {
    if (figure.querySelector("gif-player, weight-player, momentum-knob, real-or-noise")) continue;
    const images = figure.querySelectorAll("img");
    const links = figure.querySelector(".links");
    if (!images.length || !links) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.textContent = texts.enlarge;
    button.setAttribute("aria-label", texts.enlarge_figure.replace("{title}", titleOf(figure)));
    button.addEventListener("click", () => enlarge(figure));
    links.prepend(button);
    for (const image of images) image.addEventListener("click", () => enlarge(figure));
    figure.classList.add("can-enlarge");
  }
})();
