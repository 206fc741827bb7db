"""Mistakes as sentences: where, what, and nothing that may be secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from jwtgate.config.load import load_document
from jwtgate.config.problems import Sentence, shown
from jwtgate.errors import ConfigError


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        load_document(text.encode(), name="gate.yaml", folder=Path("/"), resolve=lambda value: value)
    return error.value.problems


MANY = """\
listen: 127.0.0.1:8080
token_limit_bytes: 10
issuers:
  main:
    issuer: https://issuer.example
    algorithms: [RS257]
    audience: x
    leeway_seconds: 1.5
upstreams:
  echo: {targets: [http://127.0.0.1:1], connect_seconds: fast, preserve_host: yes}
routes:
  one: {path: /one, auth: requird, upstream: echo}
  two:
    path: /two
    auth: required
    issuers: [mian]
    scpe: a
    realm: 5
    upstream: ecco
"""


def _line(problem: str) -> int:
    return int(problem.split(":")[1])


def test_every_mistake_is_told_at_once_in_the_order_of_lines() -> None:
    found = problems(MANY)
    assert sorted(found, key=_line) == list(found)
    assert sorted([problem.split(": ")[:2] for problem in found], key=lambda pair: (_line(pair[0]), pair[1])) == [
        ["gate.yaml:2", "token_limit_bytes"],
        ["gate.yaml:6", "issuers.main.algorithms[0]"],
        ["gate.yaml:8", "issuers.main.leeway_seconds"],
        ["gate.yaml:10", "upstreams.echo.connect_seconds"],
        ["gate.yaml:10", "upstreams.echo.preserve_host"],
        ["gate.yaml:12", "routes.one.auth"],
        ["gate.yaml:16", "routes.two.issuers[0]"],
        ["gate.yaml:17", "routes.two.scpe"],
        ["gate.yaml:18", "routes.two.realm"],
        ["gate.yaml:19", "routes.two.upstream"],
    ]
    assert found[0].endswith("must be at least 1024")
    assert "must be a whole number" in found[2]
    assert "must be a number" in found[3] + found[4]
    assert "must be true or false" in found[3] + found[4]


def test_an_entry_with_its_own_mistake_is_not_unknown_to_others() -> None:
    found = problems(MANY.replace("[mian]", "[main]").replace("ecco", "echo"))
    assert not [problem for problem in found if "there is no" in problem]


def test_a_document_that_is_no_mapping_is_told_so() -> None:
    assert problems("[1]") == ("gate.yaml:1: the document: must be a mapping",)
    assert problems("") == ("gate.yaml:1: the document: must be a mapping",)


def test_nothing_that_may_be_secret_is_ever_quoted() -> None:
    text = MANY.replace("    audience: x\n", "    audience: x\n    keys: {secret: hunter2, pm: hunter2, file: 5}\n")
    text = text.replace("realm: 5", "headers: {X-A: 'hunter2\\n', Host: hunter2}\n    issue: {set: {iss: hunter2}}")
    assert "hunter2" not in "".join(problems(text))


def test_what_cannot_be_secret_is_quoted_when_short() -> None:
    assert "(not 'requird')" in "".join(problems(MANY))
    assert "rrrr" not in "".join(problems(MANY.replace("requird", "r" * 100)))


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ((), "the document"),
        (("a",), "a"),
        (("a", 0, "b"), "a[0].b"),
        (("a", "b\n\x1b[31m"), "a.b??[31m"),
        (("a" * 400,), "a" * 300),
    ],
)
def test_a_place_is_written_safely(place: tuple[str | int, ...], text: str) -> None:
    assert shown(place) == text


def test_a_sentence_still_knows_its_place_and_its_cause() -> None:
    (sentence,) = problems("listen: 127.0.0.1:0\nroutes: {a.b: {path: /, auth: none, upstream: nobody}}\nupstreams: {}")
    assert isinstance(sentence, Sentence)
    assert (sentence.place, str(sentence)) == (
        ("routes", "a.b", "upstream"),
        f"gate.yaml:2: routes.a.b.upstream: {sentence.cause}",
    )
