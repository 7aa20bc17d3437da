"""Colours that tell routes and lines apart, in figures, maps and files alike."""

# Ten colours that stay apart on white and for most colour-blind readers, then they repeat.
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc3d8f",
    "#7a4fbf",
    "#b8860b",
    "#00a5cf",
    "#8c3b1f",
    "#5f7a1f",
    "#555e70",
)
