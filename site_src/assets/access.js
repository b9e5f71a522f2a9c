// @ts-check
/**
 * What the theme leaves out for those who work with the keyboard or a screen reader.
 *
 * - The search window has the name of its field.
 * - So has the box with the copy button of each listing.
 * - Tables and formulas that are wider than the window scroll in their own box, and the Tab key reaches that box.
 *   One that does not need to scroll is left alone, once it has come near the window and been measured: one more stop
 *   would serve nobody.
 *
 * The box's name comes from interface.toml, which the page carries.
 */
(() => {
  "use strict";

  const texts = JSON.parse(document.getElementById("words")?.textContent ?? "{}").access;
  const search = document.querySelector("[data-md-component=search]");
  const field = search?.querySelector("input[aria-label]");
  if (field) search.setAttribute("aria-label", field.getAttribute("aria-label"));

  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of document.querySelectorAll(".md-typeset table:not([class]), div.formula")) {
    box.setAttribute("tabindex", "0");
    watch.observe(box);
  }

  if (!texts) return;
  // The theme adds these when it has read the page, which is later than this.
  const listings = document.querySelectorAll(".md-typeset .highlight");
  const nameButtons = () => {
    for (const [place, listing] of listings.entries()) {
      listing.querySelector("nav")?.setAttribute("aria-label", texts.listing.replace("{number}", place + 1));
    }
  };
  for (const listing of listings) new MutationObserver(nameButtons).observe(listing, { childList: true, subtree: true });
  nameButtons();
})();
