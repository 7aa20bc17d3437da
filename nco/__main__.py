"""The `nco` command as a process of its own, also as `python -m nco`.

Ctrl-C ends it with exit code 130 and a sentence from its first line to its last: before anything
is loaded here, while a verb runs in `nco.interruption`.
"""

import os
import signal
from types import FrameType
from typing import NoReturn


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, b"nco: error: interrupted\n")
    os._exit(130)


def command() -> NoReturn:
    """Run the command that the arguments of the process name."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under `nohup`
            signal.signal(number, _end)
    from nco.cli import command as run

    run()


if __name__ == "__main__":
    command()
