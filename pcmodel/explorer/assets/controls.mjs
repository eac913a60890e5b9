// Labelled controls of a scene, and numbers that can be read by people, screen readers and tests.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") made.textContent = value;
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Three significant digits, with a true minus sign and no exponent within a slider's reach. */
export function short(value, digits = 3) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 10 ** -(digits + 1)) return value < 0 ? "−0.00" : "0.00";
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.min(places, 4)).replace("-", "−");
}

/** Two decimals, with a true minus sign: for beliefs. */
export const twoPlaces = (value) => (Math.abs(value) < 0.005 ? "0.00" : value.toFixed(2).replace("-", "−"));

/** A round number of an axis, without trailing zeros. */
export const plain = (value) => String(value).replace("-", "−");

export const percent = (share) => `${(100 * share).toFixed(share < 0.0995 && share > 0 ? 1 : 0)} %`;

/**
 * A slider with its value and the assumption beside it.
 *
 * log: the slider moves the logarithm. format: of the value. note: what is assumed.
 */
export function slider(host, { id, label, min, max, value, step = 0.01, log = false, format = short, note = "", onInput }) {
  const to = log ? (x) => Math.log10(x) : (x) => x;
  const from = log ? (x) => 10 ** x : (x) => x;
  let exact = value; // what was set: the slider's own steps do not hit every number
  const input = element("input", {
    id, type: "range", min: to(min), max: to(max), step, value: to(value), "aria-describedby": note ? `${id}-note` : null,
  });
  const shown = element("output", { for: id, id: `${id}-value` });
  const row = element("div", { class: "control" }, element("label", { for: id, text: label }), shown, input);
  if (note) row.append(element("p", { class: "note", id: `${id}-note`, text: note }));
  host.append(row);
  const control = {
    input,
    row,
    get value() {
      return exact ?? from(Number(input.value));
    },
    set value(next) {
      input.value = to(next);
      exact = next;
      tell();
    },
    /** Other ends, step and value: for a slider whose meaning depends on a choice. */
    range(ends) {
      input.min = to(ends.min);
      input.max = to(ends.max);
      input.step = ends.step;
      control.value = ends.value;
    },
    format,
  };
  const tell = () => {
    const text = control.format(control.value);
    input.dataset.value = control.value; // which the slider's own steps may miss
    shown.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  input.addEventListener("input", () => {
    exact = null;
    tell();
    onInput();
  });
  tell();
  return control;
}

export function checkbox(host, { id, label, checked = false, note = "", onInput }) {
  const input = element("input", { id, type: "checkbox", checked, "aria-describedby": note ? `${id}-note` : null });
  const row = element("div", { class: "control check" }, input, element("label", { for: id, text: label }));
  if (note) row.append(element("p", { class: "note", id: `${id}-note`, text: note }));
  host.append(row);
  input.addEventListener("input", onInput);
  return {
    input,
    row,
    get value() {
      return input.checked;
    },
    set value(next) {
      input.checked = next;
    },
  };
}

/** A choice among a few: [[value, label], ...]. */
export function select(host, { id, label, options, value, note = "", onInput }) {
  const input = element("select", { id, "aria-describedby": note ? `${id}-note` : null });
  for (const [own, text] of options) input.append(element("option", { value: own, text }));
  input.value = value;
  const row = element("div", { class: "control pick" }, element("label", { for: id, text: label }), input);
  if (note) row.append(element("p", { class: "note", id: `${id}-note`, text: note }));
  host.append(row);
  input.addEventListener("input", onInput);
  return {
    input,
    row,
    get value() {
      return input.value;
    },
    set value(next) {
      input.value = next;
    },
  };
}

export function buttons(host, { label, items, onPress }) {
  const group = element("div", { class: "buttons", role: "group", "aria-label": label });
  if (label) group.append(element("span", { class: "buttons-label", text: label }));
  const made = items.map(([key, text, title]) => {
    const button = element("button", { type: "button", text, title: title ?? null, "data-key": key, "aria-pressed": "false" });
    button.addEventListener("click", () => onPress(key));
    group.append(button);
    return button;
  });
  host.append(group);
  return {
    press(key) {
      for (const button of made) button.setAttribute("aria-pressed", String(button.dataset.key === String(key)));
    },
  };
}

/** Numbers by name: shown short, kept whole in `data-value`. */
export function readouts(host, names) {
  const cells = new Map();
  for (const [key, label] of names) {
    const value = element("dd", { id: `${host.id}-${key}` });
    host.append(element("div", {}, element("dt", { text: label }), value));
    cells.set(key, value);
  }
  return (key, number, text) => {
    const cell = cells.get(key);
    cell.dataset.value = number === null ? "none" : String(number);
    cell.textContent = text ?? short(number);
  };
}

/** A sentence that is read aloud once changes have come to rest. */
export function announcer(seen, heard) {
  let timer = 0;
  return (text) => {
    if (seen.textContent !== text) seen.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      heard.textContent = text;
    }, 700);
  };
}
