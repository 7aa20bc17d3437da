"""What becomes of operators from outside that mean no good: refused, or programs that always end?

    python benchmarks/hostile_operators.py [--programs 10000] [--first 0] [--seed 0] [--jobs 1]
                                           [--out FOLDER]

A third of the texts are random programs in the subset of Python, a third are such programs with
hostile lines put in (imports, files, sockets, endless loops, huge numbers), a third are damaged at
random (bytes, words, stretches). Each comes in by the door as an answer of a language model does.
The table says how many were refused by what, how many became programs, and what any of them did
beyond its limits: a file that was touched, a port that was connected, an error that is none of
nco's, a process that took longer than the cage promises. Such a text is kept in the folder, and the
exit code is 1. Text `k` follows from the seed and `k` alone.
"""

from __future__ import annotations

import argparse
import random
import resource
import socket
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # where random programs are written
# What the cage promises by the clock: an interpreter's start, the door's limit, and its end. What a
# text may use of the processor is limited by the system, whatever else the machine does.
_MOST_S = 30.0 + 2.0 + 3.0
_HOSTILE = (
    "import os",
    "from ctypes import *",
    "open('{canary}', 'w').write('escaped')",
    "x = open('{canary}', 'w')",
    "x = __import__('os').system('touch {canary}.new')",
    "x = __import__('socket').create_connection(('127.0.0.1', {port}))",
    "x = ().__class__.__base__.__subclasses__()",
    "x = eval('1')",
    "x = '{{}}'.format(globals())",
    "while True: pass",
    "x = 9 ** 9 ** 9",
    "x = " + "9" * 5000,
    "x = " + "(" * 150 + ")" * 150,
    "x = [0] * 10 ** 10",
    "def f(): return f()",
    "lambda: (yield)",
    "raise SystemExit",
    "assert False, __builtins__",
    "x = f'{{().__class__}}'",
    "exec(compile('1', '{canary}', 'exec'))",
    "@__import__('os').abort",
    "class A(metaclass=print): pass",
    "del kind",
    "global kind",
    "try: pass\nfinally: x = 1",
    "with open('{canary}'): pass",
    "for k in range(10 ** 12): pass",
    "async def g(): await g()",
    "match kind:\n    case _: pass",
    "x: __import__('os') = 1",
    "x = (y := 1)",
    "print('{canary}')",
)


def written(seed: int, k: int, canary: Path, port: int) -> tuple[str, str]:
    """What kind of text it is, and text `k`."""
    from fuzzing import mutations
    from random_operators import Writer

    dice = random.Random(f"{seed}/{k}")
    text = Writer(dice).program()
    if k % 3 == 1:
        lines = text.split("\n")
        for _ in range(dice.randint(1, 3)):
            line = dice.choice(_HOSTILE).format(canary=canary, port=port)
            at = dice.randrange(len(lines))
            indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
            lines[at:at] = [indent + part for part in line.split("\n")]
        return "hostile", "\n".join(lines)
    if k % 3 == 2:
        raw = text.encode()
        for _ in range(dice.randint(1, 3)):
            ways = (mutations.flip, mutations.noise, mutations.cut, mutations.repeat)
            raw = dice.choice(ways)(raw, dice) or b"x"
        return "damaged", raw.decode("utf-8", "replace")
    return "random", text


def judged(text: str) -> str:
    """What becomes of a text."""
    from nco.errors import InputError
    from nco.search.evolve.outside.door import program_from_text

    began = time.monotonic()
    try:
        program_from_text(text)
        outcome = "a program"
    except InputError as error:
        words = str(error)
        outcome = "refused in a line" if words.startswith("line ") else "refused"
        if "cannot be read: it" in words:
            outcome = words.split(";")[0].removeprefix("the program ")
    except BaseException as error:
        outcome = f"! {type(error).__name__}"
    return f"! slow, then {outcome}" if time.monotonic() - began > _MOST_S else outcome


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first text")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="texts at a time")
    parser.add_argument("--out", type=Path, default=Path("out/hostile_operators"))
    asked = parser.parse_args()
    began, counts = time.monotonic(), Counter[tuple[str, str]]()
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as listening,
        ThreadPoolExecutor(asked.jobs) as pool,
    ):
        listening.setblocking(False)
        Path(folder).chmod(0o777)
        canary = Path(folder) / "canary"
        canary.write_text("untouched")
        canary.chmod(0o666)
        port = listening.getsockname()[1]

        def one(k: int) -> tuple[str, str, str]:
            kind, text = written(asked.seed, k, canary, port)
            return kind, text, judged(text)

        numbers = range(asked.first, asked.first + asked.programs)
        for k, (kind, text, outcome) in zip(numbers, pool.map(one, numbers), strict=True):
            counts[kind, outcome] += 1
            if outcome.startswith("!"):
                asked.out.mkdir(parents=True, exist_ok=True)
                (asked.out / f"{k}.py").write_text(text, errors="surrogatepass")
            if (k + 1 - asked.first) % 1000 == 0:
                print(
                    f"{k + 1 - asked.first} texts in {time.monotonic() - began:.0f} s",
                    file=sys.stderr,
                )
        escaped = canary.read_text() != "untouched" or len(list(Path(folder).iterdir())) > 1
        try:
            listening.accept()
            escaped = True
        except BlockingIOError:
            pass
    for (kind, outcome), count in sorted(counts.items()):
        print(f"{kind:8} {count:6}  {outcome}")
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    each_ms = 1000 * (spent.ru_utime + spent.ru_stime) / asked.programs
    print(f"processor time of the caged processes: {each_ms:.0f} ms a text")
    print(f"files or ports reached: {'yes' if escaped else 'none'}")
    return int(escaped or any(outcome.startswith("!") for _, outcome in counts))


if __name__ == "__main__":
    sys.exit(main())
