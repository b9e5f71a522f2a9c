/** Cells lie where rows and columns say, a point means the cell under it, and every opacity has the right colour. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { shade, strongest } from "../../site_src/assets/player/colour.js";
import { edgeName, edgeOf } from "../../site_src/assets/player/geometry.js";
import { cellAt, closest, gridOf, moved, placeCells, seen, zoomed } from "../../site_src/assets/player/grid.js";
import { paint, tableOf } from "../../site_src/assets/player/matrix.js";
import { edgePath, edgeTitle } from "../../site_src/assets/player/words.js";
import { index } from "./fixtures.mjs";

const box = { left: 40, top: 50, width: 800, height: 400 };
const whole = { scale: 1, x: 0.5, y: 0.5 };
const conv = { name: "conv", slug: "t3", outputs: 16, inputs: 18, shape: [16, 2, 3, 3] };
const bias = { name: "bias", slug: "t4", outputs: 1, inputs: 64, shape: [64] };
const sample = { name: "embedding", slug: "t5", outputs: 103, inputs: 64, shape: [103, 64], entries: [5, 64, 130, 6591] };

test("a tensor that is whole has its own rows and columns; a strip is wrapped, and holds every weight", () => {
  assert.deepEqual(gridOf(conv, 800, 400), { rows: 16, columns: 18, cells: 288, wrapped: false });
  assert.deepEqual(gridOf(bias, 800, 400), { rows: 4, columns: 16, cells: 64, wrapped: true });
  for (const cells of [1, 2, 7, 97, 1000, 1024, 4096]) {
    for (const [width, height] of [[800, 400], [300, 500], [1000, 90]]) {
      const layer = { ...sample, entries: Array.from({ length: cells }, (_, place) => place) };
      const { rows, columns } = gridOf(layer, width, height);
      assert.ok(rows * columns >= cells && (rows - 1) * columns < cells, `${cells} ${rows} ${columns}`);
      const ratio = ((columns / rows) * height) / width;
      if (cells > 100) assert.ok(ratio > 0.25 && ratio < 5, `${cells} in ${width} × ${height}: ${rows} × ${columns}`);
    }
  }
});

test("every cell is found at its middle, at any closeness, and none outside", () => {
  for (const layer of [conv, bias, sample, { ...conv, outputs: 2, inputs: 400, shape: undefined }]) {
    const grid = gridOf(layer, box.width, box.height);
    for (const zoom of [whole, { scale: 3, x: 0.2, y: 0.9 }]) {
      const cells = placeCells(grid, box, zoom);
      let found = 0;
      for (let cell = 0; cell < grid.cells; cell++) {
        const x = cells.left + ((cell % grid.columns) + 0.5) * cells.across;
        const y = cells.top + (Math.floor(cell / grid.columns) + 0.5) * cells.down;
        const inside = x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
        assert.equal(cellAt(cells, x, y), inside ? cell : -1);
        found += Number(inside);
      }
      assert.ok(zoom === whole ? found === grid.cells : found > 0);
      assert.equal(cellAt(cells, 0, 0), -1);
    }
  }
});

test("all cells are seen at first; what is pointed at stays there when one comes closer", () => {
  const grid = gridOf({ ...conv, outputs: 256, inputs: 256, shape: undefined }, box.width, box.height);
  const cells = placeCells(grid, box, whole);
  assert.deepEqual(seen(cells), { columns: [0, 255], rows: [0, 255] });
  const [x, y] = [cells.left + 100.5 * cells.across, cells.top + 70.5 * cells.down];
  let zoom = whole;
  let now = cells;
  for (let turn = 0; turn < 4; turn++) {
    zoom = zoomed(now, zoom, 1.7, x, y);
    now = placeCells(grid, box, zoom);
  }
  assert.equal(cellAt(now, x, y), 70 * 256 + 100);
  const { rows, columns } = seen(now);
  assert.ok(rows[0] > 0 && rows[1] < 255 && rows[0] <= 70 && rows[1] >= 70);
  assert.ok(columns[0] <= 100 && columns[1] >= 100);
  const aside = placeCells(grid, box, moved(now, zoom, -now.across * 5, 0));
  assert.ok(Math.abs(aside.left - (now.left - 5 * now.across)) < 1e-6);
});

test("nobody comes closer than a cell, goes back beyond all of it, or leaves it", () => {
  const grid = gridOf(conv, box.width, box.height);
  const near = zoomed(placeCells(grid, box, whole), whole, 1e9, 400, 200);
  assert.equal(near.scale, closest(grid, box));
  let cells = placeCells(grid, box, near);
  let zoom = near;
  for (const [right, down] of [[1e6, 1e6], [-1e6, -1e6]]) {
    zoom = moved(cells, zoom, right, down);
    cells = placeCells(grid, box, zoom);
    const { rows, columns } = seen(cells);
    assert.ok(right > 0 ? rows[0] === 0 && columns[0] === 0 : rows[1] === 15 && columns[1] === 17);
  }
  assert.deepEqual(zoomed(cells, zoom, 0, 3, 4), { scale: 1, x: 0.5, y: 0.5 });
});

test("the table has paper in the middle, the full colours at its ends, and between them what opacity says", () => {
  const { light: colours } = index.colours;
  const table = tableOf(colours);
  const parts = (/** @type {string} */ colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const [paper, up, down] = [colours.paper, colours.increase, colours.decrease].map(parts);
  const signed = Float32Array.from([0, 1, -1, 0.5, -0.25, 0.1]);
  const pixels = new Uint32Array(signed.length);
  paint(signed, table, pixels);
  const bytes = new Uint8Array(pixels.buffer);
  signed.forEach((opacity, cell) => {
    const hue = opacity > 0 ? up : down;
    for (let part = 0; part < 3; part++) {
      const wanted = paper[part] + Math.abs(opacity) * (hue[part] - paper[part]);
      assert.ok(Math.abs(bytes[4 * cell + part] - wanted) <= 1, `${opacity}`);
    }
    assert.equal(bytes[4 * cell + 3], 255);
  });
});

test("what is not known is not drawn, not counted and not among the strongest", () => {
  const updates = Float32Array.from([NaN, 2, -3, NaN]);
  const layers = [{ name: "a", outputs: 2, inputs: 2 }];
  const laws = [{ mean: 0, threshold: 1 }];
  const out = new Float32Array(4);
  assert.deepEqual(shade(updates, layers, laws, { share: 1, shown: [true] }, out), [2]);
  assert.deepEqual([...out], [0, 1, -1, 0]);
  assert.deepEqual(strongest(updates, layers, laws, [true], 6).map(({ edge }) => edge), [2, 1]);
  // Nor is what stood still, however far from the mean of the others that is.
  assert.deepEqual(strongest(new Float32Array(4), layers, [{ mean: 0.1, threshold: 1 }], [true], 6), []);
  shade(Float32Array.from([NaN, 0, 0, 0]), layers, [{ mean: 0, threshold: 0 }], { share: 1, shown: [true] }, out);
  assert.deepEqual([...out], [0, 0, 0, 0]);
});

test("a weight's name has all its indices, and its address leads back to it", () => {
  assert.equal(edgeTitle([conv], 18 + 9 + 3 + 2), "conv[1, 1, 1, 2]");
  assert.notEqual(edgePath([conv], 18), "");
  assert.equal(edgeTitle([bias], 7), "bias[7]");
  assert.equal(edgeTitle([sample], 2), "embedding[2, 2]");
  for (const layer of [conv, bias, sample]) {
    for (const cell of [0, 1, 3]) assert.equal(edgeOf([layer], edgeName([layer], cell)), cell);
  }
  assert.equal(edgeName([sample], 2), "t5.2.2");
  assert.equal(edgeOf([sample], "t5.0.6"), -1); // not in the sample
});

test("65,536 cells are shaded and painted in less than 4 ms", () => {
  const layers = [{ name: "a", outputs: 256, inputs: 256 }];
  const updates = Float32Array.from({ length: 65_536 }, (_, cell) => Math.sin(cell * 12.9898));
  const [out, pixels, table] = [new Float32Array(65_536), new Uint32Array(65_536), tableOf(index.colours.light)];
  const times = Array.from({ length: 60 }, () => {
    const start = performance.now();
    shade(updates, layers, [{ mean: 0, threshold: 0.9 }], { share: 1, shown: [true] }, out);
    strongest(updates, layers, [{ mean: 0, threshold: 0.9 }], [true], 6);
    paint(out, table, pixels);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  console.log(`median ${times[30].toFixed(2)} ms`);
  assert.ok(times[10] < 4, `${times}`); // what it takes when nothing else runs
});
