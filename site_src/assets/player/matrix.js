/**
 * Draw a tensor as a matrix: a cell a weight, coloured as an edge of the graph is. Cells are painted into an image of a
 * pixel each, which is enlarged; a table has the colour of every opacity, so that 65,536 cells take a millisecond.
 *
 * @typedef {import("./draw.js").Mark} Mark
 * @typedef {import("./plots.js").Look} Look
 * @typedef {import("./grid.js").Zoom} Zoom
 */

import { mix, writeText } from "./draw.js";
import { cellAt, gridOf, placeCells, seen } from "./grid.js";
import { whole } from "./words.js";

const LEVELS = 255; // of opacity, either way from none
const HEAD = 34; // CSS pixels above the cells, for the step
const MARGIN = 10; // CSS pixels around them
const NUMBERS = 16; // CSS pixels above and on the left, a digit's width each, for the numbers of rows and columns
const LINED = 9; // CSS pixels of a cell from which on lines are drawn between cells
const TYPE = 18; // CSS pixels an em
const SMALL = 12;
const NARROW = 250; // CSS pixels: a picture less wide has no room for the legend
const SMALLEST_MARK = 9; // CSS pixels: a chosen cell is found again, however small it is

/**
 * Return the colours of all opacities as pixels: of −1 first, of +1 last.
 * @param {{paper: string, increase: string, decrease: string}} colours  #rrggbb
 * @returns {Uint32Array}  red in the lowest byte, as in the memory of an image
 */
export function tableOf({ paper, increase, decrease }) {
  const parts = (/** @type {string} */ colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const [ground, up, down] = [paper, increase, decrease].map(parts);
  return Uint32Array.from({ length: 2 * LEVELS + 1 }, (_, place) => {
    const opacity = Math.abs(place - LEVELS) / LEVELS;
    const hue = place > LEVELS ? up : down;
    const [red, green, blue] = ground.map((value, part) => Math.round(value + opacity * (hue[part] - value)));
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

/**
 * Paint a pixel a cell.
 * @param {Float32Array} signed  (cells) signed opacities
 * @param {Uint32Array} table
 * @param {Uint32Array} pixels  at least as many; the others are left alone
 */
export function paint(signed, table, pixels) {
  for (let cell = 0; cell < signed.length; cell++) pixels[cell] = table[(signed[cell] * LEVELS + LEVELS + 0.5) | 0];
}

/** One canvas with a matrix on it. */
export class Matrix {
  /** @param {HTMLCanvasElement} canvas @param {any} index */
  constructor(canvas, { layers: [layer] }) {
    this.canvas = canvas;
    this.layer = layer;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.cells = document.createElement("canvas");
    /** @type {Zoom} */
    this.zoom = { scale: 1, x: 0.5, y: 0.5 };
  }

  /**
   * Take a size, colours and a typeface.
   * @param {number} width   CSS pixels
   * @param {number} height
   * @param {Look} look
   * @param {number} last  batch
   */
  fit(width, height, { colours, density, family }, last) {
    const left = MARGIN + NUMBERS + 7 * String(this.layer.outputs - 1).length;
    const box = { left, top: HEAD + NUMBERS, width: width - left - MARGIN, height: height - HEAD - NUMBERS - MARGIN };
    Object.assign(this, { width, height, density, colours, family, last, box });
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.grid = gridOf(this.layer, box.width, box.height);
    this.table = tableOf(colours);
    this.cells.width = this.grid.columns;
    this.cells.height = this.grid.rows;
    this.inner = /** @type {CanvasRenderingContext2D} */ (this.cells.getContext("2d"));
    this.image = this.inner.createImageData(this.grid.columns, this.grid.rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.look(this.zoom);
  }

  /** Come closer, or go elsewhere. @param {Zoom} zoom */
  look(zoom) {
    this.zoom = zoom;
    this.places = placeCells(this.grid, this.box, zoom);
  }

  /** @param {number} x @param {number} y  CSS pixels */
  at(x, y) {
    return cellAt(this.places, x, y);
  }

  /**
   * Draw a batch.
   * @param {Float32Array} signed  (cells) signed opacities
   * @param {number} batch
   * @param {Mark[]} marks
   * @param {boolean} fresh  whether any opacity is another one than before
   */
  draw(signed, batch, marks, fresh) {
    const { context, density, colours } = this;
    if (fresh) {
      paint(signed, this.table, this.pixels);
      this.inner.putImageData(this.image, 0, 0);
    }
    context.setTransform(density, 0, 0, density, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, this.width, this.height);
    this.drawCells();
    this.writeNumbers();
    for (const mark of marks) this.drawMark(mark);
    this.writeHead(batch);
  }

  /** Enlarge what is seen of the image, and draw its rim and, between cells that are large enough, lines. */
  drawCells() {
    const { context, colours, box } = this;
    const { grid, left, top, across, down } = this.places;
    const { rows, columns } = seen(this.places);
    const wide = columns[1] - columns[0] + 1;
    const tall = rows[1] - rows[0] + 1;
    const place = { x: left + columns[0] * across, y: top + rows[0] * down, width: wide * across, height: tall * down };
    context.save();
    context.beginPath();
    context.rect(box.left, box.top, box.width, box.height);
    context.clip();
    // Cells that are smaller than a pixel are mixed; else some would not be seen at all.
    context.imageSmoothingEnabled = Math.min(across, down) * this.density < 1;
    context.drawImage(this.cells, columns[0], rows[0], wide, tall, place.x, place.y, place.width, place.height);
    context.strokeStyle = mix(colours, 0.3);
    context.lineWidth = 1;
    if (Math.min(across, down) >= LINED) {
      context.strokeStyle = mix(colours, 0.12);
      context.beginPath();
      for (let column = columns[0]; column <= columns[1]; column++) {
        const x = Math.round(left + column * across) + 0.5;
        context.moveTo(x, place.y);
        context.lineTo(x, place.y + place.height);
      }
      for (let row = rows[0]; row <= rows[1]; row++) {
        const y = Math.round(top + row * down) + 0.5;
        context.moveTo(place.x, y);
        context.lineTo(place.x + place.width, y);
      }
      context.stroke();
      context.strokeStyle = mix(colours, 0.3);
    }
    context.strokeRect(left + 0.5, top + 0.5, grid.columns * across - 1, grid.rows * down - 1);
    context.restore();
  }

  /** Write which rows and columns are seen; of a strip, which of its weights its first and last line begin with. */
  writeNumbers() {
    const { context, box, layer } = this;
    const { grid, left, top, across, down } = this.places;
    const { rows, columns } = seen(this.places);
    const style = { colours: this.colours, family: this.family, places: { scale: 1 } };
    const first = Math.max(left, box.left);
    const last = Math.min(left + grid.columns * across, box.left + box.width);
    if (!grid.wrapped) {
      const y = Math.max(top, box.top) - 5;
      writeText(context, style, whole(columns[0]), first, y, SMALL, { ink: 0.78 });
      if (columns[1] > columns[0]) writeText(context, style, whole(columns[1]), last, y, SMALL, { ink: 0.78, align: "right" });
    }
    const name = (/** @type {number} */ row) => (grid.wrapped ? row * grid.columns : row);
    const x = first - 5;
    const lines = [[rows[0], Math.max(top, box.top) + 10], [rows[1], Math.min(top + grid.rows * down, box.top + box.height) - 2]];
    for (const [row, y] of lines.slice(0, lines[1][1] - lines[0][1] < SMALL ? 1 : 2)) {
      if (!layer.entries) writeText(context, style, whole(name(row)), x, y, SMALL, { ink: 0.78, align: "right" });
    }
  }

  /**
   * Draw a frame around a chosen cell, of paper and ink, which show over any colour, and a pin's letter beside it.
   * @param {Mark} mark
   */
  drawMark({ edge, letter }) {
    const { context, colours, box, family } = this;
    const { grid, left, top, across, down } = this.places;
    const x = left + ((edge % grid.columns) + 0.5) * across;
    const y = top + (Math.floor(edge / grid.columns) + 0.5) * down;
    if (x < box.left || y < box.top || x > box.left + box.width || y > box.top + box.height) return;
    const [wide, tall] = [across, down].map((size) => Math.max(size, SMALLEST_MARK) / 2);
    for (const [colour, out] of [[colours.paper, 1], [colours.ink, 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.strokeRect(x - wide - out, y - tall - out, 2 * (wide + out), 2 * (tall + out));
    }
    if (!letter) return;
    const side = x + wide + 22 > this.width ? -1 : 1;
    const middle = x + side * (wide + 12);
    context.fillStyle = colours.ink;
    context.beginPath();
    context.arc(middle, y, 9, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = colours.paper;
    context.font = `bold 12px ${family}`;
    context.textAlign = "center";
    context.fillText(letter, middle, y + 4.3);
  }

  /** Write which batch it is, and which way the colours go. @param {number} batch */
  writeHead(batch) {
    const { context, colours } = this;
    const style = { colours, family: this.family, places: { scale: 1 } };
    writeText(context, style, `${whole(batch)} / ${whole(this.last)}`, MARGIN, 23, TYPE, { bold: true });
    if (this.width < NARROW) return;
    let end = this.width - MARGIN;
    for (const [words, colour] of [["↓", colours.decrease], ["↑", colours.increase]]) {
      const start = end - writeText(context, style, words, end, 23, TYPE - 2, { ink: 0.8, align: "right" });
      context.fillStyle = colour;
      context.fillRect(start - 20, 15, 16, 4);
      end = start - 34;
    }
  }
}
