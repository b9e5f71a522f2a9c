/**
 * Draw the network as network.gif does (report/drawing/animation/graph.py), at any size, at the screen's density.
 *
 * Every edge is a stroke of its own, in the film's order. One path for all edges of like opacity takes as long in
 * Chromium, and is paler where many of them meet: what a path covers twice it colours once.
 *
 * @typedef {import("./geometry.js").Places} Places
 * @typedef {import("./colour.js").Layer} Layer
 *
 * @typedef {object} Colours
 * @property {string} paper
 * @property {string} ink
 * @property {string} increase
 * @property {string} decrease
 *
 * @typedef {object} Mark  an edge that the reader has chosen
 * @property {number} edge
 * @property {string} letter  "" for one that is only pointed at
 */

import { nearestEdge, place } from "./geometry.js";
import { whole } from "./words.js";

const LABEL = 21; // pixels an em at scale 1, as in the GIF: the batch and the layers' names
const SMALL = 17; // what else is written
const TINY = 15; // the numbers of nodes
const MUTED = 0.62;
const SOFT = 0.8;
const SHORTEST_TYPE = 11; // CSS pixels an em; what would be smaller is left out
const NARROW = 250; // CSS pixels: a picture less wide has no room for the legend

/** One canvas with the network on it. */
export class Picture {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {any} index  with `faintest`, the opacity below which nobody sees an edge
   */
  constructor(canvas, index) {
    this.canvas = canvas;
    this.index = index;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.overlay = document.createElement("canvas");
    this.faintest = index.faintest;
  }

  /**
   * Take a size, colours and a typeface; what lies over the edges is drawn here, once.
   * @param {number} width   CSS pixels
   * @param {number} height
   * @param {import("./plots.js").Look} look
   * @param {number} last  batch
   */
  fit(width, height, { density, colours, family }, last) {
    const { geometry, margins, layers } = this.index;
    const places = place(geometry, margins, width, height);
    Object.assign(this, { places, density, colours, family, last });
    for (const canvas of [this.canvas, this.overlay]) {
      canvas.width = Math.round(places.width * density);
      canvas.height = Math.round(places.height * density);
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.overlay.getContext("2d"));
    context.scale(density, density);
    drawNodes(context, places, colours);
    writeNames(context, places, colours, family, layers);
  }

  /**
   * Return the edge that a point means, −1 where there is none.
   * @param {number} x  CSS pixels
   * @param {number} y
   * @param {Float32Array} signed
   * @param {number} reach  CSS pixels
   */
  at(x, y, signed, reach) {
    return nearestEdge(this.places, x, y, signed, reach);
  }

  /**
   * Draw a batch.
   * @param {Float32Array} signed  (edges) signed opacities
   * @param {number} batch
   * @param {Mark[]} marks
   */
  draw(signed, batch, marks) {
    const { context, places, colours } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.scale(this.density, this.density);
    context.lineWidth = places.line;
    this.strokeEdges(signed);
    for (const { edge } of marks) this.strokeMark(edge, signed[edge]);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.overlay, 0, 0);
    context.scale(this.density, this.density);
    for (const mark of marks) if (mark.letter) this.writeLetter(mark, marks);
    const label = `${whole(batch)} / ${whole(this.last)}`;
    writeText(context, this, label, labelLeft(places), baseline(places), LABEL, { bold: true });
  }

  /** @param {Float32Array} signed */
  strokeEdges(signed) {
    const { context, colours, faintest } = this;
    const { segments } = this.places;
    for (let edge = 0, at = 0; edge < signed.length; edge++, at += 4) {
      const opacity = Math.abs(signed[edge]);
      if (opacity < faintest) continue;
      context.globalAlpha = opacity;
      context.strokeStyle = signed[edge] > 0 ? colours.increase : colours.decrease;
      context.beginPath();
      context.moveTo(segments[at], segments[at + 1]);
      context.lineTo(segments[at + 2], segments[at + 3]);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /**
   * Draw a chosen edge as a band between two lines of ink, which show over any colour; the band has the edge's own.
   * @param {number} edge
   * @param {number} signed  its signed opacity
   */
  strokeMark(edge, signed) {
    const { context, colours } = this;
    const [x1, y1, x2, y2] = this.places.segments.subarray(4 * edge, 4 * edge + 4);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    const own = signed > 0 ? colours.increase : colours.decrease;
    for (const [colour, width, opacity] of [[colours.ink, 5, 1], [colours.paper, 3, 1], [own, 3, Math.abs(signed)]]) {
      context.globalAlpha = opacity;
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /**
   * Write a pin's letter on its edge; marks side by side stand at different places along their edges.
   * @param {Mark} mark
   * @param {Mark[]} marks
   */
  writeLetter(mark, marks) {
    const { context, colours, family } = this;
    const [x1, y1, x2, y2] = this.places.segments.subarray(4 * mark.edge, 4 * mark.edge + 4);
    const along = 0.35 + 0.1 * marks.indexOf(mark);
    const x = x1 + along * (x2 - x1);
    const y = y1 + along * (y2 - y1);
    context.beginPath();
    context.arc(x, y, 9, 0, 2 * Math.PI);
    context.fillStyle = colours.ink;
    context.fill();
    context.fillStyle = colours.paper;
    context.font = `bold 12px ${family}`;
    context.textAlign = "center";
    context.fillText(mark.letter, x, y + 4.3);
  }
}

/** @param {Places} places */
const labelLeft = ({ columns, scale }) => columns[0] - 8 * scale;
/** @param {Places} places */
const baseline = ({ scale }) => 46 * scale;

/**
 * Draw each node as a disc of paper with a rim, and a thin ring of paper that keeps the edges off it.
 * @param {CanvasRenderingContext2D} context
 * @param {Places} places
 * @param {Colours} colours
 */
function drawNodes(context, { columns, nodes, radii }, colours) {
  context.lineWidth = 1;
  columns.forEach((x, column) => {
    const radius = radii[column];
    for (const y of nodes[column]) {
      context.fillStyle = colours.paper;
      context.beginPath();
      context.arc(x, y, radius + 1, 0, 2 * Math.PI);
      context.fill();
      context.strokeStyle = mix(colours, MUTED);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.stroke();
    }
  });
}

/**
 * Write the layers' names and shapes below their edges, the nodes' numbers beside them, and which way the colours go.
 * @param {CanvasRenderingContext2D} context
 * @param {Places} places
 * @param {Colours} colours
 * @param {string} family
 * @param {Layer[]} layers
 */
function writeNames(context, places, colours, family, layers) {
  const { columns, nodes, radii, scale, width } = places;
  const style = { colours, family, places };
  const base = Math.max(...nodes.map((column) => column[0]));
  const gap = columns[1] - columns[0];
  const inset = Math.min(8, gap / 8);
  // Names that would touch their neighbours are left out, but for those at the ends.
  context.font = typeOf(style, LABEL, true);
  const areApart = layers.every(({ name }) => context.measureText(name).width < gap - 4);
  context.strokeStyle = mix(colours, MUTED);
  layers.forEach(({ name, inputs, outputs }, column) => {
    const left = Math.round(columns[column] + inset) + 0.5;
    const right = Math.round(columns[column + 1] - inset) + 0.5;
    const level = Math.round(base + 28 * scale) + 0.5;
    context.beginPath();
    context.moveTo(left, level - 6 * scale);
    context.lineTo(left, level);
    context.lineTo(right, level);
    context.lineTo(right, level - 6 * scale);
    context.stroke();
    const middle = (left + right) / 2;
    const end = column === 0 ? left : column === layers.length - 1 ? right : undefined;
    if (areApart) writeText(context, style, name, middle, base + 54 * scale, LABEL, { bold: true, align: "center" });
    else if (end !== undefined) {
      const align = column === 0 ? "left" : "right";
      writeText(context, style, name, end, base + 54 * scale, LABEL, { bold: true, align, room: width / 2 });
    }
    const shape = `${whole(inputs)} → ${whole(outputs)}`;
    const room = right - left + 16;
    writeText(context, style, shape, middle, base + 79 * scale, SMALL, { ink: SOFT, align: "center", room });
  });
  for (const [column, side] of [[0, -1], [columns.length - 1, 1]]) {
    const ys = nodes[column];
    if ((ys[0] - ys[ys.length - 1]) / Math.max(ys.length - 1, 1) < SMALL) continue;
    ys.forEach((y, number) => {
      const x = columns[column] + side * (radii[column] + 8 * scale);
      writeText(context, style, String(number), x, y + 5 * scale, TINY, { ink: SOFT, align: side > 0 ? "left" : "right" });
    });
  }
  if (width < NARROW) return;
  let end = columns[columns.length - 1] + 8 * scale;
  for (const [words, colour] of [["↓", colours.decrease], ["↑", colours.increase]]) {
    const start = end - writeText(context, style, words, end, baseline(places), SMALL, { ink: SOFT, align: "right" });
    context.fillStyle = colour;
    context.fillRect(start - 24 * scale, baseline(places) - 8 * scale, 18 * scale, 4 * scale);
    end = start - 42 * scale;
  }
}

/**
 * Write one line; return its width. Type never gets too small to read: it stays at the smallest size that can be.
 * @param {CanvasRenderingContext2D} context
 * @param {{places: Places, colours: Colours, family: string}} style
 * @param {string} words
 * @param {number} x
 * @param {number} y  of the baseline
 * @param {number} size  pixels an em at scale 1
 * @param {{bold?: boolean, ink?: number, align?: CanvasTextAlign, room?: number}} how  room: leave out what needs more
 */
export function writeText(context, style, words, x, y, size, how) {
  context.font = typeOf(style, size, how.bold ?? false);
  const width = context.measureText(words).width;
  if (width > (how.room ?? Infinity)) return width;
  context.textAlign = how.align ?? "left";
  context.fillStyle = mix(style.colours, how.ink ?? 1);
  context.fillText(words, x, y);
  return width;
}

/**
 * Return the font of a line, as a canvas takes it.
 * @param {{places: Places, family: string}} style
 * @param {number} size  pixels an em at scale 1
 * @param {boolean} bold
 */
function typeOf({ places, family }, size, bold) {
  return `${bold ? "bold " : ""}${Math.max(size * places.scale, SHORTEST_TYPE)}px ${family}`;
}

/**
 * Return ink on paper at a strength from 0 to 1.
 * @param {Colours} colours
 * @param {number} strength
 */
export function mix({ paper, ink }, strength) {
  const part = (/** @type {string} */ colour, /** @type {number} */ at) => parseInt(colour.slice(at, at + 2), 16);
  const parts = [1, 3, 5].map((at) => Math.round(part(paper, at) + strength * (part(ink, at) - part(paper, at))));
  return `rgb(${parts.join(" ")})`;
}
