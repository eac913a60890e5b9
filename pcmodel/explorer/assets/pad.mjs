// A pad of 8 x 8 pixels to draw a digit on, with pointer or keys.
//
// Strokes are fitted to the square and rasterised as the digits of the data set were: 32 x 32 black and white, of which
// each pixel is the share of a 4 x 4 block that is inked.

const SIDE = 8;
const FINE = 32;
const THICK = 2.1; // half a stroke's width, of FINE
const MARGIN = 1.2;

/** Shares of ink, 64 numbers from 0 to 1, of strokes [[[x, y], ...], ...] in any unit. */
export function rasterise(strokes) {
  const points = strokes.flat();
  if (!points.length) return new Array(SIDE * SIDE).fill(0);
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const room = FINE - 2 * (MARGIN + THICK);
  const scale = room / Math.max(bottom - top, (right - left) * 1.15, 1e-6);
  const place = ([x, y]) => [(x - (left + right) / 2) * scale + FINE / 2, (y - (top + bottom) / 2) * scale + FINE / 2];
  const ink = new Uint8Array(FINE * FINE);
  const dab = (x, y) => {
    for (let i = Math.max(0, Math.floor(y - THICK)); i <= Math.min(FINE - 1, Math.ceil(y + THICK)); i++) {
      for (let j = Math.max(0, Math.floor(x - THICK)); j <= Math.min(FINE - 1, Math.ceil(x + THICK)); j++) {
        if ((i + 0.5 - y) ** 2 + (j + 0.5 - x) ** 2 <= THICK ** 2) ink[i * FINE + j] = 1;
      }
    }
  };
  for (const stroke of strokes) {
    const placed = stroke.map(place);
    placed.forEach(([x, y], i) => {
      const [fromX, fromY] = placed[Math.max(i - 1, 0)];
      const steps = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY)));
      for (let s = 0; s <= steps; s++) dab(fromX + ((x - fromX) * s) / steps, fromY + ((y - fromY) * s) / steps);
    });
  }
  const block = FINE / SIDE;
  return Array.from({ length: SIDE * SIDE }, (_, k) => {
    const [row, column] = [Math.floor(k / SIDE) * block, (k % SIDE) * block];
    let sum = 0;
    for (let i = 0; i < block; i++) for (let j = 0; j < block; j++) sum += ink[(row + i) * FINE + column + j];
    return sum / block ** 2;
  });
}

/** Grey levels (0 to 1, black to white) on a canvas of `columns` pixels a row. */
export function paint(canvas, values, columns) {
  const rows = values.length / columns;
  if (canvas.width !== columns) canvas.width = columns;
  if (canvas.height !== rows) canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  values.forEach((value, i) => {
    const grey = 255 * Math.min(Math.max(value, 0), 1);
    image.data.set([grey, grey, grey, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

/** Signed activity, blue below 0, white at 0, orange above (readable without red and green), up to `most`. */
export function paintSigned(canvas, values, columns, most) {
  const rows = values.length / columns;
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const ends = [[0, 90, 181], [247, 247, 247], [220, 90, 0]];
  values.forEach((value, i) => {
    const share = Math.min(Math.max(value / most, -1), 1);
    const end = ends[share < 0 ? 0 : 2];
    const mixed = end.map((c, k) => ends[1][k] + (c - ends[1][k]) * Math.abs(share));
    image.data.set([...mixed, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

/** Lets a canvas be drawn on; `onDraw(pixels)` after every change. Keys: arrows move a cell, space changes its ink. */
export function drawingPad(canvas, onDraw) {
  let strokes = [];
  let pixels = new Array(SIDE * SIDE).fill(0);
  let cell = 27;
  const show = (isFocused) => {
    paint(canvas, pixels, SIDE);
    if (!isFocused) return;
    const context = canvas.getContext("2d");
    context.fillStyle = "rgba(111, 189, 243, 0.55)";
    context.fillRect(cell % SIDE, Math.floor(cell / SIDE), 1, 1);
  };
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    strokes.push([spot(event)]);
    event.preventDefault();
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    strokes[strokes.length - 1].push(spot(event));
    changed();
  });
  const changed = () => {
    pixels = rasterise(strokes);
    show(false);
    onDraw(pixels);
  };
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -SIDE, ArrowDown: SIDE }[event.key];
    if (step) {
      const next = cell + step;
      const leaves = Math.abs(step) === 1 && Math.floor(next / SIDE) !== Math.floor(cell / SIDE);
      if (next >= 0 && next < SIDE * SIDE && !leaves) cell = next;
    } else if (event.key === " " || event.key === "Enter") {
      pixels[cell] = pixels[cell] >= 1 ? 0 : pixels[cell] + 0.5;
      strokes = [];
      onDraw(pixels);
    } else return;
    event.preventDefault();
    const ink = Math.round(100 * pixels[cell]);
    canvas.setAttribute("aria-label", `Drawing pad, row ${Math.floor(cell / SIDE) + 1}, column ${(cell % SIDE) + 1}, ink ${ink} percent`);
    show(true);
  });
  canvas.addEventListener("focus", () => show(canvas.matches(":focus-visible")));
  canvas.addEventListener("blur", () => show(false));
  return {
    set(next) {
      pixels = Array.from(next);
      strokes = [];
      show(false);
    },
  };
}
