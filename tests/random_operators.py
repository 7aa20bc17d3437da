"""Random programs in the subset of Python that operators from outside are written in."""

from __future__ import annotations

import random

from nco.search.evolve.language import FEATURES, HOLES, SPREADS, Insertion, holes_of

_INDENT = "    "


class Writer:
    """Writes programs; what it draws follows from the dice alone."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def removal(self) -> str:
        """A removal with one to three phases."""
        dice, parts = self.dice, ['kind = "removal"', *self.helpers()]
        for phase in range(dice.randint(1, 3)):
            end = f"_{phase + 1}" if phase else ""
            parts += [
                f"share{end} = {dice.uniform(0.1, 2):.2f}",
                f"draws{end} = {dice.randint(1, 16)}",
                f'spread{end} = "{dice.choice(SPREADS)}"',
            ]
            parts += [
                self.function(f"{name}{end}", hole)
                for name, hole in HOLES.items()
                if dice.random() < 0.5
            ]
        return "\n".join(parts) + "\n"

    def insertion(self) -> str:
        """An insertion of either mode."""
        mode = self.dice.choice(("order", "regret"))
        parts = ['kind = "insertion"', f'mode = "{mode}"', *self.helpers()]
        parts += [self.function(name, hole) for name, hole in holes_of(Insertion(mode)).items()]
        return "\n".join(parts) + "\n"

    def program(self) -> str:
        """Either."""
        return self.removal() if self.dice.random() < 0.5 else self.insertion()

    def helpers(self) -> list[str]:
        """None, one or two functions that others may call."""
        self.known: list[str] = []
        made = []
        for name in ("closer", "mixed")[: self.dice.randint(0, 2)]:
            made.append(self._written(name, ["a", "b"]))
            self.known.append(name)
        return made

    def function(self, name: str, hole: str) -> str:
        """A function of a few features that may be used there."""
        usable = [one for one, known in FEATURES.items() if hole in known.holes]
        return self._written(name, self.dice.sample(usable, self.dice.randint(1, 3)))

    def _written(self, name: str, arguments: list[str]) -> str:
        names, lines = list(arguments), []
        for _ in range(self.dice.randint(0, 3)):
            lines += self._statement(names)
        lines.append(f"return {self.expression(names, 2)}")
        body = "\n".join(_INDENT + line for line in lines)
        return f"\n\ndef {name}({', '.join(arguments)}):\n{body}\n"

    def _statement(self, names: list[str]) -> list[str]:
        dice = self.dice
        new, old = f"x{len(names)}", dice.choice(names)
        match dice.randint(0, 4):
            case 0:
                lines = [f"{new} = {self.expression(names, 2)}"]
                names.append(new)
                return lines
            case 1:
                return [f"{old} {dice.choice('+-*')}= {self.expression(names, 1)}"]
            case 2:
                return [
                    f"if {self.condition(names)}:",
                    f"{_INDENT}{old} = {self.expression(names, 1)}",
                    "else:",
                    f"{_INDENT}{dice.choice(names)} = {self.expression(names, 1)}",
                ]
            case 3:
                return [
                    f"if {self.condition(names)}:",
                    f"{_INDENT}return {self.expression(names, 1)}",
                ]
            case _:
                return [
                    f"for k in range({dice.randint(0, 3)}):",
                    f"{_INDENT}{old} = {old} * {dice.uniform(0, 2):.1f} + k",
                ]

    def condition(self, names: list[str]) -> str:
        """A comparison, or two."""
        compared = f"{self.expression(names, 1)} {self.dice.choice(('<', '<=', '>', '>='))} "
        compared += self.expression(names, 1)
        match self.dice.randint(0, 5):
            case 0:
                return f"not {compared}"
            case 1:
                return f"{compared} and {self.condition(names)}"
            case 2:
                return f"{compared} or {self.condition(names)}"
        return compared

    def expression(self, names: list[str], deep: int) -> str:
        """Numbers, names and what the subset makes of them."""
        dice = self.dice
        if deep == 0 or dice.random() < 0.3:
            return dice.choice([*names, f"{dice.uniform(-3, 3):.2f}", str(dice.randint(-2, 9))])
        a, b = (self.expression(names, deep - 1) for _ in range(2))
        return dice.choice(
            [
                f"({a} {dice.choice('+-*/')} {b})",
                f"{dice.choice(('min', 'max'))}({a}, {b})",
                f"{dice.choice(('abs', 'sqrt', 'log', 'floor'))}({a})",
                f"({a} if {b} < 1 else {b})",
                f"({a}) ** {dice.choice((2, 0.5))}",
                f"-({a})",
                *(f"{name}({a}, {b})" for name in self.known),
            ]
        )
