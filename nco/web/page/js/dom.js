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

/** Replaces what an element holds, and keeps the focus on what has the same data-key. */
export function refill(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

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
