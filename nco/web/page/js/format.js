// Numbers as people read them.

import { t } from "./words.js";

export const km = (metres) => (metres === null || metres === undefined ? "–"
  : t("unit.km", { n: (metres / 1000).toFixed(metres < 99950 ? 1 : 0) }));

export function clock(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const minutes = Math.floor(seconds / 60 + 1e-6);
  const hours = Math.floor(minutes / 60);
  return `${String(hours).padStart(2, "0")}:${String(minutes - 60 * hours).padStart(2, "0")}`;
}

/** A length of time, in minutes. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const minutes = Math.round(Math.abs(seconds) / 60);
  const sign = seconds < 0 && minutes > 0 ? "−" : "";
  return minutes < 60 ? `${sign}${t("unit.min", { n: minutes })}`
    : `${sign}${t("unit.h", { n: Math.floor(minutes / 60), m: String(minutes % 60).padStart(2, "0") })}`;
}

export const amount = (value) => (value === null || value === undefined ? "–"
  : Number.isInteger(value) ? String(value) : value.toFixed(1));

export const money = (value) => (value === null || value === undefined ? "–"
  : value.toLocaleString("en", { maximumFractionDigits: value < 1000 ? 1 : 0 }));

/** A difference with its sign. */
export function signed(text, value) {
  return value > 0 ? `+${text}` : text;
}

/** Seconds of the day that a person has written; null where it is no time. */
export function seconds(text) {
  const found = /^\s*(\d{1,2})[:.h](\d{2})\s*$/.exec(text) ?? /^\s*(\d{1,2})()\s*$/.exec(text);
  if (!found || Number(found[2] || 0) > 59) return null;
  return 3600 * Number(found[1]) + 60 * Number(found[2] || 0);
}

export function windows(list) {
  return list.map(([from, to]) => (to === null && !from ? t("window.any")
    : to === null ? t("window.after", { from: clock(from) })
    : from === 0 ? t("window.before", { to: clock(to) })
    : `${clock(from)}–${clock(to)}`)).join(", ");
}
