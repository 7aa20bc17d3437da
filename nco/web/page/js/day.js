import { h } from "./dom.js";
export function dayPanel() { return h("div.day", {}); }
