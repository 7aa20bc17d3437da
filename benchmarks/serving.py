"""`nco serve` in a process of its own, for as long as a benchmark asks it."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def serving(*options: str, data: Path | None = None) -> AsyncIterator[tuple[str, int]]:
    """Its address and its process, which is killed at the end.

    Args:
        options: of the command.
        data: what it keeps; None for a file that is forgotten.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = data or Path(folder) / "kept"
        command = ["-m", "nco", "serve", "--port", "0", "--no-browser", *options]
        server = await asyncio.create_subprocess_exec(
            sys.executable, *command, "--data", str(kept), stdout=asyncio.subprocess.PIPE
        )
        assert server.stdout is not None
        try:
            line = (await server.stdout.readline()).decode()
            yield re.search(r"http://\S+", line)[0], server.pid
        finally:
            server.kill()
            await server.wait()
