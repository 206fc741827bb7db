"""The page that says other gateways in our words uses words a document has."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
import yaml
from tests.rules.source_tree import ROOT

from jwtgate.cli.main import main
from jwtgate.config.schema import Nodes, below, root
from jwtgate.errors import CATALOGUE

PAGE = (ROOT / "docs" / "model.md").read_text()
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| ---")
]
SPANS = sorted({span for row in ROWS for span in re.findall(r"`([^`]+)`", row[1])})

_PATH = re.compile(r"[a-z][a-z0-9_]*(\.([a-z0-9_]+|[A-Z]+))*")
# A claim, members of a JWK, members of a log line, an entry point, and functions of the package.
_NO_KEYS = frozenset({"sub", "n", "e", "reason", "detail", "jwtgate.claims", "jwtgate.sign", "jwtgate.verify"})


def everywhere() -> Nodes:
    """Every section a document may have at any place, mappings with names of one's own aside."""
    found: list[Nodes] = []
    waiting = [root()]
    while waiting:
        nodes = waiting.pop()
        if nodes not in found:
            found.append(nodes)
            names = {name for node in nodes for name in node.get("properties", ())}
            waiting += [below(nodes, step) for step in (*sorted(names), "NAME", 0)]
    return tuple(node for nodes in found for node in nodes if "properties" in node)


EVERYWHERE = everywhere()


def unknown(span: str) -> list[str]:
    """The words of this piece of a document that stand nowhere in one."""
    plain = yaml.safe_load(span) if _is_plain(span) else None
    if isinstance(plain, str):
        plain = {plain: "…"} if _PATH.fullmatch(plain) and plain not in _NO_KEYS and plain not in CATALOGUE else None
    return list(_unknown(plain, EVERYWHERE))


def _is_plain(span: str) -> bool:
    """Whether this is a piece of a document, and no command, request or reference."""
    return not span.startswith(("$", "jwtgate ")) and not re.match(r"[A-Z]+ ", span)


def _unknown(value: object, nodes: Nodes) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _unknown(item, below(nodes, 0))
    if not isinstance(value, dict):
        return
    for name, held in value.items():
        here = nodes
        for step in () if name == "…" else str(name).split("."):
            here = below(here, step)
        if not here:
            yield name
        yield from _unknown(held, here)


@pytest.mark.parametrize("span", SPANS)
def test_what_the_page_writes_can_stand_in_a_document(span: str) -> None:
    assert unknown(span) == []


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ("first_source_wins", ["first_source_wins"]),
        ("signing.keys.NAME.address", ["signing.keys.NAME.address"]),
        ("introspection: {endpoint, hints}", ["hints"]),
        ("from: [{header: …}, {body: …}]", ["body"]),
        ("answers: {token_expired: {states: 303}}", ["states"]),
    ],
)
def test_a_word_no_document_has_is_found(span: str, words: list[str]) -> None:
    assert unknown(span) == words


@pytest.mark.parametrize("span", [span for span in SPANS if span.startswith("jwtgate ")])
def test_a_command_of_the_page_is_one(span: str) -> None:
    command: click.Command = main
    for word in span.split()[1:]:
        if not isinstance(command, click.Group):
            break
        command = command.commands[word]
    options = [word for word in span.split() if word.startswith("--")]
    assert set(options) <= {option for parameter in command.params for option in parameter.opts}


def test_every_row_has_words_and_none_says_that_it_cannot_be() -> None:
    assert len(ROWS) > 150
    for row in ROWS:
        assert len(row) == 2, row
        assert all(row)
        assert "not possible" not in row[1]
        assert row[1] != "refused", row
