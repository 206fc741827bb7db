from __future__ import annotations

from dataclasses import fields
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.policy.plans import refusal, request

from jwtgate.errors import RequestRefused
from jwtgate.policy.request import (
    STRICT_PATHS,
    PathRules,
    RequestView,
    canonical_path,
    cookie_values,
    cookies_without,
    query_values,
    query_without,
)

KEEPING = PathRules(keep_repeated_slashes=True, keep_encoded_slashes=True, keep_parameters=True)
MERGING = PathRules(merge_repeated_slashes=True)
EVERY_RULES = [PathRules(*chosen) for chosen in product([False, True], repeat=len(fields(PathRules)))]


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (b"/", "/"),
        (b"/a", "/a"),
        (b"/a/", "/a/"),
        (b"/a/b.c/~d", "/a/b.c/~d"),
        (b"/.well-known/x", "/.well-known/x"),
        (b"/..a/.../a..", "/..a/.../a.."),
        (b"/!$&'()*+,=:@-._~", "/!$&'()*+,=:@-._~"),
        (b"/%41%7e%2D", "/A~-"),
        (b"/caf%c3%a9", "/caf%C3%A9"),
        (b"/100%25", "/100%25"),
        (b"/a%20b%3b%3F", "/a%20b%3B%3F"),
        (b"/a/./b", "/a/b"),
        (b"/a/../b", "/b"),
        (b"/a/b/..", "/a/"),
        (b"/a/.", "/a/"),
        (b"/.", "/"),
        (b"/a/..", "/"),
        (b"/a/b/../../c", "/c"),
    ],
)
def test_sec_110_a_path_has_one_canonical_form(raw: bytes, canonical: str) -> None:
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"", "a character that must be percent-encoded"),
        (b"*", "a character that must be percent-encoded"),
        (b"a/b", "a character that must be percent-encoded"),
        (b"/a\\b", "a character that must be percent-encoded"),
        (b"/a b", "a character that must be percent-encoded"),
        (b"/a?b", "a character that must be percent-encoded"),
        (b"/a#b", "a character that must be percent-encoded"),
        (b"/a\x00", "a character that must be percent-encoded"),
        (b"/a\n", "a character that must be percent-encoded"),
        ("/é".encode(), "a character that must be percent-encoded"),
        (b"/a|b", "a character that must be percent-encoded"),
        (b"/%", "a character that must be percent-encoded"),
        (b"/%4", "a character that must be percent-encoded"),
        (b"/%4g", "a character that must be percent-encoded"),
        (b"/%u0041", "a character that must be percent-encoded"),
        (b"/a%2fb", "%2F"),
        (b"/a%2Fb", "%2F"),
        (b"/a%5cb", "%5C"),
        (b"/%2e%2e/admin", "%2E"),
        (b"/.%2E/admin", "%2E"),
        (b"/a%00", "a control character"),
        (b"/a%0d%0ab", "a control character"),
        (b"/a%7F", "a control character"),
        (b"/%ff", "not UTF-8"),
        (b"/%c0%af", "not UTF-8"),
        (b"/%ed%a0%80", "not UTF-8"),
        (b"/%252e%252e/admin", "encoded twice"),
        (b"/%25%32%65%25%32%65/admin", "encoded twice"),
        (b"/%25u002e%25U002E/admin", "encoded twice"),
        (b"/a;b", "path parameters"),
        (b"/..;/admin", "path parameters"),
        (b"/a//b", "repeated slashes"),
        (b"//a", "repeated slashes"),
        (b"//", "repeated slashes"),
        (b"/..", "above the root"),
        (b"/a/../../b", "above the root"),
    ],
)
def test_sec_110_a_path_with_two_readings_is_refused(raw: bytes, cause: str) -> None:
    error = refusal(lambda: canonical_path(raw))
    assert (error.reason, error.status, error.detail["cause"]) == ("path_not_canonical", 400, cause)


@pytest.mark.parametrize(
    ("raw", "rules", "canonical"),
    [
        (b"/a//b///c", MERGING, "/a/b/c"),
        (b"//a//", MERGING, "/a/"),
        (b"/a//../b", MERGING, "/b"),
        (b"/a//b", KEEPING, "/a//b"),
        (b"/a//../b", KEEPING, "/a/b"),
        (b"/a%2fb", KEEPING, "/a%2Fb"),
        (b"/a;v=1/b;", KEEPING, "/a;v=1/b;"),
        (b"/..a;x", KEEPING, "/..a;x"),
    ],
)
def test_sec_110_a_document_may_say_which_reading_is_meant(raw: bytes, rules: PathRules, canonical: str) -> None:
    assert canonical_path(raw, rules) == canonical


@pytest.mark.parametrize(
    "raw", [b"/a/..;/b", b"/a/.;x/b", b"/a/..%2fb", b"/a%2f..", b"/a%2F../b", b"/a%2f.%2fb", b"/a%2f..;b", b"/a%5cb"]
)
def test_sec_110_no_rule_lets_a_dot_segment_hide(raw: bytes) -> None:
    assert refusal(lambda: canonical_path(raw, KEEPING)).reason == "path_not_canonical"


@pytest.mark.parametrize(
    "raw",
    [
        b"/a/..%3bx/b",
        b"/a/.%3B/b",
        b"/a/..%23/b",
        b"/a/..%3f",
        b"/a/..%20/b",
        b"/a/.%20%20/b",
        b"/a/%20../b",
        b"/a/%EF%BC%8E%EF%BC%8E/b",
        b"/a/%E2%80%A5/b",
        b"/a/..%EF%BC%8Fb",
        b"/a/..%EF%BC%BCb",
        b"/a/..%C2%A0/b",
    ],
)
@pytest.mark.parametrize("rules", [STRICT_PATHS, KEEPING])
def test_sec_110_what_reads_as_a_dot_segment_once_decoded_is_refused(raw: bytes, rules: PathRules) -> None:
    assert refusal(lambda: canonical_path(raw, rules)).detail["cause"] == "a hidden dot segment"


@pytest.mark.parametrize(
    "path", ["/a/..%C3%A9", "/a/.%20b", "/a/a%20.", "/a/1%EF%BC%8F2", "/a%3B..", "/a/.%3Db", "/...%20"]
)
def test_sec_110_dots_and_escapes_that_are_a_name_pass(path: str) -> None:
    assert canonical_path(path.encode()) == path


PIECES = [b"/", b"a", b".", b"..", b";", b"%2F", b"%2e", b"%25", b"%32", b"%65", b"%46", b"%41", b"%5c", b"%00"]
PIECES += [b"%C3%A9", b"%e2", b"%7e", b"\\", b"~", b"=", b"*", b"25", b"2e"]
RAW_PATHS = st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: b"/" + b"".join(pieces))


def canonical_or_none(raw: bytes, rules: PathRules) -> str | None:
    try:
        return canonical_path(raw, rules)
    except RequestRefused:
        return None


@given(RAW_PATHS, st.sampled_from(EVERY_RULES))
def test_sec_110_what_is_canonical_reads_as_itself(raw: bytes, rules: PathRules) -> None:
    path = canonical_or_none(raw, rules)
    if path is None:
        return
    assert canonical_path(path.encode(), rules) == path
    segments = path.split("/")[1:]
    assert path.startswith("/")
    assert not {".", ".."} & set(segments)
    assert "//" not in path or rules.keep_repeated_slashes
    assert "%2F" not in path or rules.keep_encoded_slashes
    assert ";" not in path or rules.keep_parameters


@given(RAW_PATHS)
def test_sec_110_a_relaxed_rule_changes_no_path_that_was_good_before(raw: bytes) -> None:
    strict = canonical_or_none(raw, STRICT_PATHS)
    if strict is not None:
        assert {canonical_path(raw, rules) for rules in EVERY_RULES} == {strict}


@given(RAW_PATHS)
def test_the_quick_reading_agrees_with_the_thorough_one(raw: bytes) -> None:
    # An escaped letter is never read quickly.
    assert canonical_or_none(raw + b"A", STRICT_PATHS) == canonical_or_none(raw + b"%41", STRICT_PATHS)
    assert canonical_or_none(raw + b"A/", STRICT_PATHS) == canonical_or_none(raw + b"%41/", STRICT_PATHS)


@pytest.mark.parametrize("part", [b"/a", b"/.a", b"/..a", b"/a..", b"/...", b"/a.%61"])
def test_long_paths_are_read_and_refused_like_short_ones(part: bytes) -> None:
    long = part * (8192 // len(part))
    assert canonical_path(long) == long.decode().replace("%61", "a")
    assert canonical_or_none(long + b"|", STRICT_PATHS) is None
    assert canonical_or_none(long + b"/..%2f", STRICT_PATHS) is None


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", []),
        ("x=1", []),
        ("t=1", ["1"]),
        ("t=1&x=2&t=3", ["1", "3"]),
        ("t", [""]),
        ("t=", [""]),
        ("t=a=b", ["a=b"]),
        ("T=1", []),
        ("%74=1", ["1"]),
        ("t=%2e+", ["%2e+"]),
        ("x=1;t=2", []),
    ],
)
def test_query_parameters_are_found_by_their_decoded_name(query: str, values: list[str]) -> None:
    assert list(query_values(query, "t")) == values


def test_a_query_parameter_is_removed_however_its_name_is_written() -> None:
    assert query_without("a=1&t=2&%74=3&b=%74&t", frozenset({"t"})) == "a=1&b=%74"
    assert query_without("t=1", frozenset({"t"})) == ""
    assert query_without("a+b=1&c=2", frozenset({"a b"})) == "c=2"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (b"", []),
        (b"t=1", [b"1"]),
        (b"a=0; t=1;t=2 ;\tt=3", [b"1", b"2", b"3"]),
        (b"t", []),
        (b"T=1; xt=2", []),
        (b"t=", [b""]),
        (b"t=a=b", [b"a=b"]),
    ],
)
def test_cookies_are_found_by_name(field: bytes, values: list[bytes]) -> None:
    assert list(cookie_values(field, b"t")) == values


def test_cookies_are_removed_by_name() -> None:
    assert cookies_without(b"a=1;t=2; b=3; t=4;;t", frozenset({b"t"})) == b"a=1; b=3"
    assert cookies_without(b"t=1", frozenset({b"t"})) == b""


def test_field_values_come_in_the_order_of_arrival() -> None:
    view = request((b"a", b"1"), (b"b", b"2"), (b"a", b"3"))
    assert view.field_values(b"a") == [b"1", b"3"]
    assert view.field_values(b"c") == []


ORIGIN, ASKED = (b"origin", b"https://app.example"), (b"access-control-request-method", b"PUT")


def test_sec_118_a_preflight_has_its_method_and_both_fields() -> None:
    assert request(ORIGIN, ASKED, method="OPTIONS").is_cors_preflight


@pytest.mark.parametrize(
    ("method", "sent"),
    [
        ("GET", (ORIGIN, ASKED)),
        ("options", (ORIGIN, ASKED)),
        ("OPTIONS", (ORIGIN,)),
        ("OPTIONS", (ASKED,)),
        ("OPTIONS", (ORIGIN, ORIGIN, ASKED)),
        ("OPTIONS", (ORIGIN, ASKED, ASKED)),
        ("OPTIONS", ((b"origin", b""), ASKED)),
        ("OPTIONS", (ORIGIN, (b"access-control-request-method", b""))),
    ],
)
def test_sec_118_anything_else_is_no_preflight(method: str, sent: tuple[tuple[bytes, bytes], ...]) -> None:
    assert not request(*sent, method=method).is_cors_preflight


def test_a_request_is_shown_without_its_credentials() -> None:
    shown = repr(request((b"x-key", b"hush1"), bearer="hush2", query="access_token=hush3"))
    assert "hush" not in shown
    assert "/orders" in shown


HOST = (b"host", b"Gate.Example:8443")
PROTO, NAME = (b"x-forwarded-proto", b"HTTPS"), (b"x-forwarded-host", b"public.example")


@pytest.mark.parametrize(
    ("trusted", "sent", "origin"),
    [
        (False, (HOST,), "http://Gate.Example:8443"),
        (False, (HOST, PROTO, NAME), "http://Gate.Example:8443"),
        (True, (HOST,), "http://Gate.Example:8443"),
        (True, (HOST, PROTO, NAME), "https://public.example"),
        (True, (HOST, PROTO), "https://Gate.Example:8443"),
        (True, (HOST, (b"x-forwarded-proto", b"gopher"), (b"x-forwarded-host", b"a b")), "http://gate.example"),
        (True, (HOST, NAME, NAME), "http://Gate.Example:8443"),
        (True, (HOST, (b"x-forwarded-host", b"a.example, b.example")), "http://Gate.Example:8443"),
        (True, (HOST, (b"x-forwarded-host", b"[::1]:80")), "http://[::1]:80"),
        (False, (), "http://gate.example"),
    ],
)
def test_sec_114_the_address_is_the_clients_own_where_a_trusted_proxy_tells_it(
    trusted: bool, sent: tuple[tuple[bytes, bytes], ...], origin: str
) -> None:
    view = RequestView("GET", "http", "gate.example", "/a", query="b=c", fields=sent, trusted=trusted)
    assert (view.origin, view.url) == (origin, f"{origin}/a?b=c")
    assert RequestView("GET", "http", "gate.example", "/a", query="", fields=sent, trusted=trusted).url == f"{origin}/a"


def test_neither_body_nor_query_shows_in_the_text_of_a_request() -> None:
    shown = repr(RequestView("GET", "http", "a", "/", query="secret", fields=((b"a", b"secret"),), body=b"secret"))
    assert "secret" not in shown
