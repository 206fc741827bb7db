"""The server around us, when there is one: its pseudo-variables and its log.

Everything else here works without Kamailio as well; then variables have no value, and the log is Python's.
"""

from __future__ import annotations

import logging
from typing import Any

KSR: Any
try:
    import KSR  # type: ignore[import-not-found, no-redef, unused-ignore]
except ImportError:
    KSR = None

_LOG = logging.getLogger("jwtgate.kamailio")


def variable(name: str) -> str | int | None:
    """The value of a pseudo-variable such as `$fU` or `$hdr(X-JWT)`; None where it has none.

    A value that is not UTF-8 counts as none: `KSR.pv.get` would raise, in the middle of the script.
    """
    if KSR is None:
        return None
    try:
        value = KSR.pv.get(name)
    except (UnicodeDecodeError, SystemError):
        return None
    return value if isinstance(value, str | int) else None


def set_variable(name: str, value: str | int) -> None:
    """Set a pseudo-variable of the script, if there is a script."""
    if KSR is None:
        return
    if isinstance(value, int):
        KSR.pv.seti(name, value)
    else:
        KSR.pv.sets(name, value)


def log_error(line: str) -> None:
    """One line at the level of errors."""
    if KSR is None:
        _LOG.error("%s", _plain(line))
    else:
        KSR.err(f"jwtgate: {_plain(line)}\n")


def log_warning(line: str) -> None:
    """One line at the level of warnings."""
    if KSR is None:
        _LOG.warning("%s", _plain(line))
    else:
        KSR.warn(f"jwtgate: {_plain(line)}\n")


def _plain(line: str) -> str:
    # Names of claims may come from a message: none may begin a line of its own, or be what C cannot take.
    return line if line.isprintable() else ascii(line)[1:-1]
