"""Ways a client may write the name of an identity field, and places where it may stand (SEC-112, SEC-113)."""

from __future__ import annotations

NAMES = ("X-User-Id", "X-JWT-Assertion", "X-Groups")
"""What the routes of these tests set, one or another of them."""
_SEPARATORS = "_.!#$%&'*+^`|~"
FORGED = "root"


def spellings(name: str) -> list[str]:
    """The name as some upstream may still take it for this name."""
    cases = [name, name.lower(), name.upper(), name.swapcase()]
    separated = [name.replace("-", separator) for separator in _SEPARATORS]
    half = [name.replace("-", separator, 1) for separator in "_.~"]
    lowered = [name.lower().replace("-", separator) for separator in "_."]
    return [*dict.fromkeys([*cases, *separated, *half, *lowered])]


def no_names(name: str) -> list[str]:
    """The name with what may not stand in any name: nothing of such a request goes on."""
    behind = [f"{name}{byte}" for byte in " \t\r\x00\x0b\xa0"]
    before = [f"{byte}{name}" for byte in (" ", "\t", "\x0b", ":", "\xef\xbb\xbf")]
    inside = [name.replace("-", byte) for byte in " \t/,;=@\x00\xa0\xad"]
    return [*behind, *before, *inside, f'"{name}"', f"({name})"]


def placements(line: str) -> dict[str, list[str]]:
    """The lines of a request in which this line is to reach the upstream."""
    name = line.partition(":")[0]
    return {
        "alone": [line],
        "twice": [line, line],
        "behind an empty one": [f"{name}:", line],
        "nominated": [f"Connection: {name}", line],
        "nominated with others": [f"Connection: keep-alive, {name}, X-Other", line, "X-Other: 1"],
        "all of ours nominated": ["Connection: X-User-Id, X-JWT-Assertion, X-Groups, Authorization", line],
        "announced as a trailer": [f"Trailer: {name}", line],
        "among many": [*(f"X-{number}: 1" for number in range(40)), line],
    }
