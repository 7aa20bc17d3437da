// Labels by their keys: all words of the page are in words/en.js, and nowhere else.

import words from "../words/en.js";

/** A label; {name} in it stands for a value. `key.one` is taken where n is 1. */
export function t(key, values = {}) {
  const text = (values.n === 1 || values.n === "1" ? words[`${key}.one`] : undefined) ?? words[key];
  if (text === undefined) throw new Error(`no word for ${key}`);
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

export const has = (key) => key in words;
