/** Small helpers that make elements. */

/**
 * Make an element; a property that the element knows is set as such, the others as attributes.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name === "class") element.className = value;
    else if (name in element && name !== "list") element[/** @type {"id"} */ (name)] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const SHAPES = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  back: "M17 5v14L8 12zM5 5h2v14H5z",
  forward: "M7 5v14l9-7zM17 5h2v14h-2z",
};

/**
 * Make a drawing of a control, hidden from those who hear its name.
 * @param {keyof typeof SHAPES} name
 */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[name]);
  picture.append(path);
  return picture;
}

/**
 * Set text only where it differs: an unchanged live region stays silent, and nothing is laid out anew.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Make a button that shows a drawing or a word.
 * @param {string} label  accessible name
 * @param {Node | string} content
 * @param {() => void} onClick
 * @param {string} [kind]  class beside `wp-button`
 */
export function button(label, content, onClick, kind = "") {
  const made = make("button", { type: "button", class: `wp-button ${kind}`.trim() }, content);
  if (typeof content !== "string" || content !== label) made.setAttribute("aria-label", label);
  if (typeof content !== "string") made.title = label;
  made.addEventListener("click", onClick);
  return made;
}
