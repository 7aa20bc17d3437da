// Elements. Whatever is given as a child is text or an element; nothing here ever parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element: h("button.main", {onclick, title}, "text", child, ...). */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return filled(document.createElement(name), classes, attributes, children);
}

/** Likewise, of an SVG. */
export function svg(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return filled(document.createElementNS(SVG, name), classes, attributes, children);
}

function filled(element, classes, attributes, children) {
  if (classes.length) element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") element.classList.add(value);
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else if (key === "value" || key === "checked") element[key] = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const waiting = new WeakMap(); // what an element is to hold when its field has been left

/**
 * Replaces what an element holds, and keeps the focus on what has the same data-key.
 * While somebody types in it, it waits: what is typed is never thrown away.
 */
export function refill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  if (focused?.typed) {
    if (!waiting.has(element)) {
      for (const end of ["change", "blur"]) focused.addEventListener(end, () => setTimeout(() => refilled(element)), { once: true });
    }
    waiting.set(element, children);
    return;
  }
  waiting.delete(element);
  const key = focused?.dataset.key;
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

function refilled(element) {
  const children = waiting.get(element);
  waiting.delete(element);
  if (children) refill(element, ...children);
}

addEventListener("input", ({ target }) => { target.typed = true; }, true);
for (const end of ["change", "blur"]) addEventListener(end, ({ target }) => { target.typed = false; }, true);

const asked = new Map(); // what is to be done in the next frame

/** Does something once a frame at most, however often it is asked for. */
export function perFrame(work) {
  return () => {
    if (!asked.has(work)) asked.set(work, requestAnimationFrame(() => { asked.delete(work); work(); }));
  };
}

/** Does now what waits for the next frame. */
export function now() {
  for (const [work, frame] of [...asked]) {
    cancelAnimationFrame(frame);
    asked.delete(work);
    work();
  }
}

/** Does something when nobody has asked for it again for a while. */
export function settled(work, ms) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), ms);
  };
}
