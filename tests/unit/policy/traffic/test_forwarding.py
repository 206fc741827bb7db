"""What the upstream is asked for, and which paths a route takes."""

from __future__ import annotations

import re

import pytest

from jwtgate.errors import RequestRefused
from jwtgate.policy.expression import ExpressionFailed
from jwtgate.policy.request import PathRules
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.traffic.forwarding import (
    TEXT,
    PathForm,
    Respond,
    Rewriting,
    form_of,
    worded_answer,
    worded_path,
    worded_query,
)


class Numbered:
    """A pattern that any engine could run, and `<1>` in the place of what it matches."""

    literal = ""

    def __init__(self, text: str, replacement: str = "") -> None:
        self._pattern = re.compile(text)
        self._replacement = replacement

    def end(self, path: str) -> int | None:
        found = self._pattern.match(path)
        return found.end() if found else None

    def replaced(self, path: str) -> str:
        return self._pattern.sub(self._replacement, path, count=1)


@pytest.mark.parametrize(
    ("form", "path", "end"),
    [
        (PathForm(), "/a", 0),
        (PathForm("/a"), "/a", 2),
        (PathForm("/a"), "/ab", 2),
        (PathForm("/a"), "/b", None),
        (form_of("/a"), "/a", 2),
        (form_of("/a"), "/a/", None),
        (form_of("/a/*"), "/a/b", 2),
        (form_of("/a/*"), "/a/", 2),
        (form_of("/a/*"), "/a", None),
        (form_of("/*"), "/a", 0),
        (form_of("/{x}/b"), "/long/b", 7),
        (form_of("/{x}/b"), "//b", None),
        (form_of("/{x}/b"), "/a/b/c", None),
        (form_of("/{x}/*"), "/long/b/c", 5),
        (form_of("/{x}/*"), "/long", None),
        (PathForm(pattern=Numbered(r"/\d+")), "/12/3", 3),
        (PathForm(pattern=Numbered(r"/\d+")), "/x/12", None),
    ],
)
def test_a_form_knows_how_much_of_a_path_it_stands_for(form: PathForm, path: str, end: int | None) -> None:
    assert form.end(path) == end


def stripping(*texts: str, prefix: str = "") -> Rewriting:
    return Rewriting(stripped=tuple(PathForm(text) for text in texts), prefix=prefix)


@pytest.mark.parametrize(
    ("rewriting", "path", "sent"),
    [
        (Rewriting(), "/a//b", "/a//b"),
        (Rewriting(path="/new"), "/a/b", "/new"),
        (stripping("/a"), "/a/b/", "/b/"),
        (stripping("/a"), "/a", "/"),
        (stripping("/a"), "/ab", "/b"),
        (stripping("/a"), "/b", "/b"),
        (stripping("/a", "/a/b"), "/a/b/c", "/c"),
        (stripping("/a/"), "/a/b", "/b"),
        (stripping("/a", prefix="/base"), "/a", "/base"),
        (stripping("/a", prefix="/base/"), "/a", "/base"),
        (stripping("/a", prefix="/base"), "/a/", "/base/"),
        (stripping("/a/", prefix="/base"), "/a/", "/base/"),
        (stripping("/a", prefix="/base/"), "/a/b", "/base/b"),
        (stripping("/a", prefix="/"), "/a", "/"),
        (Rewriting(prefix="/base"), "/a", "/base/a"),
        (Rewriting(pattern=Numbered("^/a/(.*)$", r"/\1/x")), "/a/b", "/b/x"),
        (Rewriting(pattern=Numbered("^/a/(.*)$", r"/\1/x")), "/b", "/b"),
        (Rewriting(stripped=(PathForm("/a"),), pattern=Numbered("b", "c"), prefix="/p"), "/a/b/b", "/p/c/b"),
        (Rewriting(pattern=Numbered("^/.*$", "")), "/a", "/"),
    ],
)
def test_a_path_is_stripped_then_replaced_then_put_behind_a_prefix(rewriting: Rewriting, path: str, sent: str) -> None:
    assert rewriting.sent_path(path) == sent


@pytest.mark.parametrize(
    ("rewriting", "path"),
    [
        (stripping("/a"), "/a.."),
        (stripping("/a"), "/a../b"),
        (stripping("/a"), "/a."),
        (Rewriting(pattern=Numbered("^/a", "/")), "/a/b"),
        (Rewriting(pattern=Numbered("x", "?")), "/x"),
        (Rewriting(pattern=Numbered("x", "\r\nX-A: b")), "/x"),
        (Rewriting(pattern=Numbered("x", "é")), "/x"),
        (Rewriting(pattern=Numbered("x", "%2e%2e")), "/x"),
        (Rewriting(pattern=Numbered("x", "%2F..")), "/x"),
        (Rewriting(pattern=Numbered("x", "%61")), "/x"),
        (Rewriting(pattern=Numbered("/", "")), "/x"),
    ],
)
def test_sec_110_a_path_with_two_readings_is_never_sent(rewriting: Rewriting, path: str) -> None:
    with pytest.raises(RequestRefused, match="path_not_canonical"):
        rewriting.sent_path(path)


def test_slashes_that_repeat_afterwards_are_read_as_the_document_says() -> None:
    pattern = Numbered("^/a", "/")
    assert Rewriting(pattern=pattern, rules=PathRules(merge_repeated_slashes=True)).sent_path("/a/b") == "/b"
    assert Rewriting(pattern=pattern, rules=PathRules(keep_repeated_slashes=True)).sent_path("/a/b") == "//b"
    with pytest.raises(RequestRefused):
        Rewriting(pattern=Numbered("^/a", "/../"), rules=PathRules(merge_repeated_slashes=True)).sent_path("/a/b")


def test_head_stays_head_whatever_a_method_becomes() -> None:
    assert Rewriting(method="POST").sent("GET", "/") == ("POST", "/")
    assert Rewriting(method="POST").sent("HEAD", "/") == ("HEAD", "/")
    assert Rewriting().sent("PUT", "/") == ("PUT", "/")


def test_what_is_stripped_is_the_longest_that_fits() -> None:
    assert stripping("/a", "/a/b", "/c").strips("/a/b/c") == 4
    assert stripping("/c").strips("/a") == 0


# What is worked out.

JSON_TYPE = "application/json"


@pytest.mark.parametrize(
    ("said", "path"),
    [("/", "/"), ("/a/b", "/a/b"), ("/a b", "/a%20b"), ("/%7Ea", "/~a"), ("/50%", "/50%25"), ("/a?b#c", "/a%3Fb%23c")],
)
def test_a_path_that_is_worked_out_is_canonical(said: str, path: str) -> None:
    assert worded_path(said) == path


@pytest.mark.parametrize("said", [None, MISSING, 7, "", "a", ["/a"]])
def test_what_is_no_path_is_a_failure(said: object) -> None:
    with pytest.raises(ExpressionFailed):
        worded_path(said)


@pytest.mark.parametrize("said", ["/a/../b", "/./a", "/a/%2e%2e/b", "/a//b", "/a%2Fb", "/a;b"])
def test_sec_110_a_path_that_is_worked_out_leads_nowhere_else(said: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        worded_path(said)
    assert caught.value.reason == "path_not_canonical"


def test_the_rules_of_the_document_hold_for_a_path_that_is_worked_out() -> None:
    assert worded_path("/a//b", PathRules(merge_repeated_slashes=True)) == "/a/b"


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("", ""),
        ("a=1&b=%20", "a=1&b=%20"),
        ("a=b c#d\r\n", "a=b%20c%23d%0D%0A"),
        ({}, ""),
        ({"a b": "c&d", "e": 1, "f": True, "g": None}, "a+b=c%26d&e=1&f=true"),
        ({"a": ["b", None, 2]}, "a=b&a=2"),
    ],
)
def test_a_query_is_text_or_parameters(said: object, query: str) -> None:
    assert worded_query(said) == query


@pytest.mark.parametrize("said", [None, MISSING, 7, ["a"], {"a": {}}, {"a": [[]]}])
def test_what_is_no_query_is_a_failure(said: object) -> None:
    with pytest.raises(ExpressionFailed):
        worded_query(said)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (worded_answer(200, "a"), Respond(200, TEXT, b"a")),
        (worded_answer(404.0, {"a": None}), Respond(404, JSON_TYPE, b'{"a":null}')),
        (worded_answer(200, "a", as_json=True), Respond(200, JSON_TYPE, b'"a"')),
        (worded_answer(200, None), Respond(200, TEXT, b"")),
        (worded_answer(200, MISSING), Respond(200, TEXT, b"")),
        (worded_answer(200, MISSING, as_json=True), Respond(200, TEXT, b"")),
        (worded_answer(200, None, as_json=True), Respond(200, JSON_TYPE, b"null")),
        (worded_answer(200, "a", media_type="text/html"), Respond(200, "text/html", b"a")),
        (worded_answer(200, [], media_type=MISSING), Respond(200, JSON_TYPE, b"[]")),
    ],
)
def test_an_answer_is_worded(answer: Respond, said: Respond) -> None:
    assert answer == said


@pytest.mark.parametrize("status", [None, MISSING, "200", True, 199, 600, 200.5, -200])
def test_what_is_no_status_is_a_failure(status: object) -> None:
    with pytest.raises(ExpressionFailed):
        worded_answer(status, "")


@pytest.mark.parametrize("media_type", ["html", 7, "", "a/b\r\nX: y", "a/é"])
def test_sec_117_what_is_no_media_type_is_a_failure(media_type: object) -> None:
    with pytest.raises(ExpressionFailed):
        worded_answer(200, "", media_type=media_type)
