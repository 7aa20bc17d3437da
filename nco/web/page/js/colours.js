// A colour for each vehicle: hues far from one another first, readable by day and by night.

const LIGHT = ["#2563eb", "#d9480f", "#15803d", "#a21caf", "#b45309", "#0e7490", "#dc2626", "#6d28d9",
  "#4d7c0f", "#be185d", "#1e40af", "#92400e", "#047857", "#7c2d92", "#475569", "#9f1239"];
const DARK = ["#6ea2ff", "#ff8f5a", "#4fd07e", "#e07bee", "#f0b23f", "#4cc9e6", "#ff7b7b", "#a98bff",
  "#a5d54a", "#ff7eb6", "#8fb1ff", "#e0a26a", "#3fd6a6", "#cf8be6", "#a8b5c6", "#ff8ba3"];

export const isDark = () => document.documentElement.dataset.theme === "dark";

export function colourOf(vehicle) {
  const all = isDark() ? DARK : LIGHT;
  return all[vehicle % all.length];
}

const cache = new Map();

/** A colour of the style sheet. */
export function ink(name) {
  const key = `${isDark()} ${name}`;
  if (!cache.has(key)) cache.set(key, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return cache.get(key);
}
