"""Ways to write a path so that two readers may see two of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

UP = (
    "..",
    "%2e%2e",
    "%2E%2e",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "%25%32%65%25%32%65",
    "%25u002e%25u002e",
    "%u002e%u002e",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%EF%BC%8E%EF%BC%8E",
    "%E2%80%A5",
    "%E2%80%A4%E2%80%A4",
    "..;",
    "..;a=b",
    "..%3b",
    "..%3Ba=b",
    "..%23",
    "..%3f",
    "..%20",
    "%20..",
    "..%C2%A0",
    "..%00",
    "..%09",
    "..\\",
    "...",
    "./..",
    ".;/..;",
    "..%252f",
    "x/../..",
)
SLASH = (
    "/",
    "//",
    "///",
    "/./",
    "/;/",
    "/;a=b/",
    ";/",
    "%2f",
    "%2F",
    "%252f",
    "%25%32%66",
    "%25u002f",
    "%u002f",
    "%5c",
    "%255c",
    "\\",
    "%c0%af",
    "%EF%BC%8F",
    "%EF%BC%BC",
    "/%2f",
    "%2f/",
)
NAMES = (
    "orders",
    "%6frders",
    "o%72der%73",
    "%256frders",
    "orders;",
    "orders;a=b",
    "orders;a/b",
    "orders%3b",
    "orders%3Ba=b",
    "orders%23",
    "orders%3F",
    "orders%3fa",
    "orders?",
    "orders?/../open",
    "orders#",
    "orders%00",
    "orders%2f",
    "orders%5c",
    "%EF%BD%8Frders",
    ";orders",
    ";a=b;orders",
    "%3borders",
)
BEGINNINGS = ("/open", "/health", "/public/a", "/nowhere", "")
REST = ("", "/", "/1", "/1/2", "/..", "/../x")


def paths() -> Iterator[str]:
    """All of them: from what is open up and into what is not, and straight at it."""
    for beginning, up, slash in product(BEGINNINGS, UP, SLASH):
        yield f"{beginning}{slash}{up}{slash}orders{slash}1"
        yield f"{beginning}/{up}/orders{slash}1"
        yield f"{beginning}/a/b{slash}{up}{slash}{up}/admin"
    for slash, name, rest in product(SLASH, NAMES, REST):
        yield f"{slash}{name}{rest}"
        yield f"/{name}{slash}{rest}"
        yield f"/open{slash}{name}{rest}"
