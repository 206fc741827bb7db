"""One small good document, and ways to change it in one place."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.config.sections.document import Document
from jwtgate.errors import ConfigError
from jwtgate.policy.plan import Plan

GOOD: dict[str, Any] = {
    "listen": "127.0.0.1:8080",
    "issuers": {
        "main": {"issuer": "https://issuer.example", "algorithms": ["RS256"], "audience": "https://api.example"},
        "other": {"issuer": "https://other.example", "algorithms": ["ES256"], "audience": ["a", "b"]},
    },
    "signing": {"issuer": "https://gate.example"},
    "upstreams": {"echo": {"targets": ["http://127.0.0.1:9020"]}},
    "routes": {
        "orders": {
            "path": "/orders/*",
            "auth": "required",
            "issuers": ["main"],
            "issue": {"audience": "https://orders.internal"},
            "headers": {"X-Caller": {"claim": "sub"}},
            "upstream": "echo",
        },
        "health": {"path": "/health", "auth": "none", "upstream": "echo"},
    },
}

Changes = dict[str, Any]


def _changed(changes: Changes) -> dict[str, Any]:
    document = deepcopy(GOOD)
    for place, value in changes.items():
        *outer, last = place.split("/")
        holder = document
        for step in outer:
            holder = holder.setdefault(step, {})
        if value is ...:
            del holder[last]
        else:
            holder[last] = value
    return document


def _load(changes: Changes) -> Document:
    data = json.dumps(_changed(changes)).encode()
    return load_document(data, name="gate.json", folder=Path("/etc/gate"), resolve=lambda text: text)


@pytest.fixture
def load() -> Callable[[Changes], Document]:
    """Loads the good document with these changes: `section/name/key` to its value, `...` leaving it out."""
    return _load


@pytest.fixture
def plan() -> Callable[[Changes], Plan]:
    """Compiles the good document with these changes."""
    return lambda changes: compile_document(_load(changes))


@pytest.fixture
def mistakes() -> Callable[[Changes], list[str]]:
    """The mistakes the good document has after these changes, without file and line."""

    def find(changes: Changes) -> list[str]:
        try:
            _load(changes)
        except ConfigError as error:
            return [problem.split(": ", 1)[1] for problem in error.problems]
        return []

    return find
