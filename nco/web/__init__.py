"""The planner behind HTTP: an interface that clients of VROOM and OSRM speak already, and a page.

`application` makes it, `nco serve` runs it, `Client` speaks with it. Whatever a client asks for is
done in worker processes that can be ended (`work`); the server itself only checks, hands on and
keeps: it reads no file and no large JSON that was sent to it. Pydantic is used in `models` alone.
"""

from typing import TYPE_CHECKING, Any

from nco.errors import quoted

if TYPE_CHECKING:
    from nco.web.app import application as application
    from nco.web.client import Client as Client
    from nco.web.settings import Limits as Limits
    from nco.web.settings import Settings as Settings

_PUBLIC = {
    "Client": "nco.web.client",
    "Limits": "nco.web.settings",
    "Settings": "nco.web.settings",
    "application": "nco.web.app",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """The client needs no server's packages, so each name is loaded on first use."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'nco.web' has no attribute {quoted(name)}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)
