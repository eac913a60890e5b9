// SVG panels whose elements are made once and then changed in place.

const SVG = "http://www.w3.org/2000/svg";

export function svgElement(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (parent) parent.append(element);
  return element;
}

const fixed = (x) => (Math.round(x * 100) / 100).toString();

/** About `count` round numbers between two others. */
export function ticksBetween(low, high, count) {
  const raw = (high - low) / count;
  const base = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * base).find((s) => s >= raw * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

/** A drawing of one or more panels that fills its host's width. */
export class Drawing {
  constructor(host, label) {
    this.host = host;
    this.svg = svgElement("svg", { role: "img", "aria-label": label, class: "drawing" });
    host.append(this.svg);
    this.elements = new Map();
    this.used = new Set();
    this.width = 0;
    this.height = 0;
  }

  /** The text by which a screen reader knows the figure. */
  describe(text) {
    this.svg.setAttribute("aria-label", text);
  }

  begin(height) {
    const width = Math.max(this.host.clientWidth, 280);
    if (width !== this.width || height !== this.height) {
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.svg.setAttribute("height", height);
      this.width = width;
      this.height = height;
    }
    this.used.clear();
    return this;
  }

  /** Takes away what was not drawn since `begin`. */
  end() {
    for (const [key, element] of this.elements) {
      if (!this.used.has(key)) {
        element.remove();
        this.elements.delete(key);
      }
    }
  }

  put(own, name, attributes, text) {
    const key = `${name} ${own}`; // a line and its name may be called alike
    let element = this.elements.get(key);
    if (!element) {
      element = svgElement(name, {}, this.svg);
      this.elements.set(key, element);
    }
    this.used.add(key);
    for (const attribute in attributes) {
      const value = String(attributes[attribute]);
      if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
    }
    if (text !== undefined && element.textContent !== text) element.textContent = text;
    return element;
  }

  text(key, x, y, text, attributes = {}) {
    return this.put(key, "text", { x: fixed(x), y: fixed(y), ...attributes }, text);
  }

  segment(key, x1, y1, x2, y2, attributes = {}) {
    return this.put(key, "line", { x1: fixed(x1), y1: fixed(y1), x2: fixed(x2), y2: fixed(y2), ...attributes });
  }
}

/** One panel: a rectangle of a drawing with its own scales. */
export class Panel {
  constructor(drawing, key, { left, right, top, bottom, x, y }) {
    Object.assign(this, { drawing, key, left, right, top, bottom });
    this.domain = { x, y };
  }

  x(value) {
    const [low, high] = this.domain.x;
    return this.left + ((value - low) / (high - low)) * (this.right - this.left);
  }

  y(value) {
    const [low, high] = this.domain.y;
    return this.bottom - ((value - low) / (high - low)) * (this.bottom - this.top);
  }

  clampY(value) {
    return Math.min(Math.max(this.y(value), this.top - 1), this.bottom + 1);
  }

  path(xs, ys) {
    let d = "";
    for (let i = 0; i < xs.length; i++) d += `${i ? "L" : "M"}${fixed(this.x(xs[i]))} ${fixed(this.clampY(ys[i]))}`;
    return d;
  }

  line(name, xs, ys, kind) {
    return this.drawing.put(`${this.key}.${name}`, "path", { d: this.path(xs, ys), class: `line ${kind}` });
  }

  area(name, xs, low, high, kind) {
    let d = this.path(xs, high);
    for (let i = xs.length - 1; i >= 0; i--) d += `L${fixed(this.x(xs[i]))} ${fixed(this.clampY(low[i]))}`;
    return this.drawing.put(`${this.key}.${name}`, "path", { d: `${d}Z`, class: `area ${kind}` });
  }

  base() {
    this.drawing.segment(`${this.key}.base`, this.left, this.bottom, this.right, this.bottom, { class: "axis" });
  }

  xAxis(ticks, { label = "", format = String } = {}) {
    const { drawing, key } = this;
    this.base();
    for (const tick of ticks) {
      drawing.segment(`${key}.xt${tick}`, this.x(tick), this.bottom, this.x(tick), this.bottom + 4, { class: "axis" });
      drawing.text(`${key}.xl${tick}`, this.x(tick), this.bottom + 16, format(tick), { class: "tick", "text-anchor": "middle" });
    }
    if (label) {
      drawing.text(`${key}.xn`, (this.left + this.right) / 2, this.bottom + 31, label, { class: "tick", "text-anchor": "middle" });
    }
  }

  yAxis(ticks, { format = String } = {}) {
    const { drawing, key } = this;
    for (const tick of ticks) {
      drawing.segment(`${key}.yt${tick}`, this.left, this.y(tick), this.right, this.y(tick), { class: "grid" });
      drawing.text(`${key}.yl${tick}`, this.left - 6, this.y(tick) + 4, format(tick), { class: "tick", "text-anchor": "end" });
    }
  }

  title(text, attributes = {}) {
    this.drawing.text(`${this.key}.title`, this.left, this.top - 6, text, { class: "title", ...attributes });
  }

  vertical(name, x, kind) {
    this.drawing.segment(`${this.key}.${name}`, this.x(x), this.top, this.x(x), this.bottom, { class: kind });
  }
}

/** Calls `render` once in the next frame, however often it is asked; again when the host changes its width. */
export function scheduler(host, render) {
  let waiting = false;
  const ask = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      render();
    });
  };
  let width = host.clientWidth;
  new ResizeObserver(() => {
    if (host.clientWidth !== width) {
      width = host.clientWidth;
      ask();
    }
  }).observe(host);
  return ask;
}
