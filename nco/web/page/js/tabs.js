// Tabs: the keys that lead from one to the next, and which is shown.

/** Arrow keys go round the tabs, and show what they come to. */
export function roundTabs(tabs, show) {
  tabs.forEach((tab, k) => tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs.at((k + step) % tabs.length);
    next.focus();
    show(next.dataset.view);
  }));
}

/** Marks the tab of a view as the one that is shown. */
export function markTab(tabs, name) {
  tabs.forEach((tab) => {
    const is = tab.dataset.view === name;
    tab.setAttribute("aria-selected", String(is));
    tab.tabIndex = is ? 0 : -1;
  });
}
