/**
 * Where the cells of a matrix lie in a picture of any size, which cell is meant by a point, and what is seen of them
 * when the reader has come closer.
 *
 * @typedef {import("./colour.js").Layer} Layer
 *
 * @typedef {object} Grid
 * @property {number} rows
 * @property {number} columns
 * @property {number} cells     how many there are; the last row may have fewer than the others
 * @property {boolean} wrapped  whether the rows are those of a strip that goes on from line to line
 *
 * @typedef {object} Box  CSS pixels
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} Zoom
 * @property {number} scale  1: all is seen
 * @property {number} x      which point of the matrix is in the middle, as a share of its width
 * @property {number} y      … and of its height
 *
 * @typedef {object} Cells  CSS pixels
 * @property {Grid} grid
 * @property {Box} box      that cells are seen in
 * @property {number} left  of the first cell, which may lie outside the box
 * @property {number} top
 * @property {number} across  width of a cell
 * @property {number} down    its height
 */

import { sizeOf } from "./colour.js";

const STRETCHED = 8; // CSS pixels up to which the longer side of a small cell may grow
const LARGEST = 48; // CSS pixels of a cell, however few there are
const CLOSEST = 40; // CSS pixels of a cell's shorter side at the closest

/**
 * Return rows and columns of cells: of a tensor that is shown whole its own; of a lone row, and of a sample, lines that
 * fill the place, of a length that divides the cells where there is one about right.
 * @param {Layer} layer
 * @param {number} width   of the place
 * @param {number} height
 * @returns {Grid}
 */
export function gridOf(layer, width, height) {
  const cells = sizeOf(layer);
  if (layer.outputs > 1 && !layer.entries) return { rows: layer.outputs, columns: layer.inputs, cells, wrapped: false };
  const fitting = Math.min(Math.max(Math.ceil(Math.sqrt((cells * width) / height)), 1), cells);
  let columns = fitting;
  for (let step = 0; step <= fitting / 2; step++) {
    const found = [fitting + step, fitting - step].find((count) => count > 0 && cells % count === 0);
    if (found) {
      columns = found;
      break;
    }
  }
  return { rows: Math.ceil(cells / columns), columns, cells, wrapped: true };
}

/**
 * Place the cells of a grid.
 * @param {Grid} grid
 * @param {Box} box
 * @param {Zoom} zoom
 * @returns {Cells}
 */
export function placeCells(grid, box, zoom) {
  const [across, down] = cellSize(grid, box).map((size) => size * zoom.scale);
  const left = start(box.left, box.width, across * grid.columns, zoom.x);
  const top = start(box.top, box.height, down * grid.rows, zoom.y);
  return { grid, box, left, top, across, down };
}

/**
 * Return width and height of a cell when all are seen: square, but where cells are small the longer side may grow.
 * @param {Grid} grid
 * @param {Box} box
 */
function cellSize({ rows, columns }, { width, height }) {
  const room = [width / columns, height / rows];
  const square = Math.min(...room, LARGEST);
  return room.map((size) => Math.min(size, Math.max(square, STRETCHED)));
}

/** Return where a row of cells begins: in the middle of its place if it is shorter, else as the zoom says. */
const start = (from, room, length, share) =>
  length <= room ? from + (room - length) / 2 : from + Math.min(Math.max(room / 2 - share * length, room - length), 0);

/**
 * Return the cell at a point, −1 where there is none.
 * @param {Cells} cells
 * @param {number} x
 * @param {number} y
 */
export function cellAt({ grid, box, left, top, across, down }, x, y) {
  if (x < box.left || y < box.top || x >= box.left + box.width || y >= box.top + box.height) return -1;
  const column = Math.floor((x - left) / across);
  const row = Math.floor((y - top) / down);
  if (column < 0 || row < 0 || column >= grid.columns || row >= grid.rows) return -1;
  const cell = row * grid.columns + column;
  return cell < grid.cells ? cell : -1;
}

/**
 * Return the rows and columns that are seen, also in part: first and last of each, from 0.
 * @param {Cells} cells
 */
export function seen({ grid, box, left, top, across, down }) {
  const span = (from, room, begin, size, count) => [
    Math.min(Math.max(Math.floor((from - begin) / size + 1e-6), 0), count - 1),
    Math.min(Math.max(Math.ceil((from + room - begin) / size - 1e-6) - 1, 0), count - 1),
  ];
  return {
    columns: span(box.left, box.width, left, across, grid.columns),
    rows: span(box.top, box.height, top, down, grid.rows),
  };
}

/** Return how close a reader can come. @param {Grid} grid @param {Box} box */
export const closest = (grid, box) => Math.max(CLOSEST / Math.min(...cellSize(grid, box)), 1);

/**
 * Return the zoom that is `factor` times as close, with what lies at a point staying there.
 * @param {Cells} cells
 * @param {Zoom} zoom
 * @param {number} factor
 * @param {number} x  CSS pixels
 * @param {number} y
 * @returns {Zoom}
 */
export function zoomed(cells, zoom, factor, x, y) {
  const { grid, box, left, top, across, down } = cells;
  const scale = Math.min(Math.max(zoom.scale * factor, 1), closest(grid, box));
  const ratio = scale / zoom.scale;
  const middle = (from, room, begin, size, count, point) => {
    const length = size * count * ratio;
    return (from + room / 2 - (point - (point - begin) * ratio)) / length;
  };
  return within(grid, box, {
    scale,
    x: middle(box.left, box.width, left, across, grid.columns, x),
    y: middle(box.top, box.height, top, down, grid.rows, y),
  });
}

/**
 * Return the zoom with the picture moved by some pixels.
 * @param {Cells} cells
 * @param {Zoom} zoom
 * @param {number} right
 * @param {number} down
 * @returns {Zoom}
 */
export function moved({ grid, box, across, down: tall }, { scale, x, y }, right, down) {
  return within(grid, box, { scale, x: x - right / (across * grid.columns), y: y - down / (tall * grid.rows) });
}

/** Keep the picture from leaving its box. @param {Grid} grid @param {Box} box @param {Zoom} zoom @returns {Zoom} */
function within(grid, box, { scale, x, y }) {
  const [across, down] = cellSize(grid, box).map((size) => size * scale);
  const limit = (share, room, length) => {
    const half = Math.min(room / 2 / length, 0.5);
    return Math.min(Math.max(share, half), 1 - half);
  };
  return { scale, x: limit(x, box.width, across * grid.columns), y: limit(y, box.height, down * grid.rows) };
}
