// Dark or light: as the system has it, until somebody chooses.

const KEY = "nco.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function kept() {
  try { return localStorage.getItem(KEY); } catch { return null; }
}

function show(tell) {
  document.documentElement.dataset.theme = kept() ?? (system.matches ? "dark" : "light");
  tell();
}

export function followTheme(tell) {
  system.addEventListener("change", () => show(tell));
  show(tell);
}

export function turnTheme(tell) {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem(KEY, next); } catch { /* then it lasts as long as the page */ }
  document.documentElement.dataset.theme = next;
  tell();
}
