// @ts-check
/**
 * Tables and formulas that are wider than the window scroll in their own box; here the keyboard gets hold of it.
 *
 * A box that does not need to scroll is left alone: one more stop for the Tab key would serve nobody.
 */
(() => {
  "use strict";

  const boxes = /** @type {NodeListOf<HTMLElement>} */ (
    document.querySelectorAll(".md-typeset table:not([class]), div.formula")
  );
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of boxes) watch.observe(box);
})();
