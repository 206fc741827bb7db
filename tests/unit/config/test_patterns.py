"""Patterns: whole texts, linear time, and the way to another process."""

from __future__ import annotations

import pickle

import pytest

from jwtgate.config.patterns import PathPattern, Pattern


def test_a_pattern_matches_whole_texts_only() -> None:
    pattern = Pattern("a+|b")
    assert pattern("aaa")
    assert not pattern("aaab")
    assert not pattern("xa")
    assert not pattern("a\n")


@pytest.mark.parametrize("text", ["(a", "a{1001}{1001}", r"(a)\1", "(?=a)", "a" * 1001, "\ud800"])
def test_sec_51_what_cannot_run_in_linear_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Pattern(text)


def test_sec_51_a_pattern_that_ruins_other_engines_is_harmless() -> None:
    assert not Pattern("(a+)+b")("a" * 100_000)


def test_a_lone_surrogate_never_matches() -> None:
    assert not Pattern(".*")("\ud800")


def test_a_pattern_travels_as_its_text() -> None:
    copy = pickle.loads(pickle.dumps(Pattern("a+")))
    assert copy == Pattern("a+")
    assert hash(copy) == hash(Pattern("a+"))
    assert copy != Pattern("b")
    assert copy("aa")
    assert repr(copy) == "Pattern('a+')"


def test_a_pattern_of_paths_matches_from_the_beginning() -> None:
    pattern = PathPattern(r"/x/\d+")
    assert pattern.end("/x/12/y") == 5
    assert pattern.end("/y/x/12") is None


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("^/x/y", "/x/y"),
        ("/x/y$", "/x/y"),
        ("/x/y?", "/x/"),
        ("/x+", "/"),
        ("/xy{2}", "/x"),
        (r"/a\.b", "/a"),
        ("/a.b", "/a"),
        ("/a(b)", "/a"),
        ("/a|/b", ""),
        ("(?i)/a", ""),
        ("", ""),
    ],
)
def test_whatever_matches_begins_with_the_letters_of_the_pattern(text: str, literal: str) -> None:
    assert PathPattern(text).literal == literal


@pytest.mark.parametrize(
    ("text", "replacement", "path", "replaced"),
    [
        ("^/a/(.*)/(.*)$", r"/\2/\1", "/a/b/c", "/c/b"),
        ("/(a)?(b)", r"/\1x\2", "/b/b", "/xb/b"),
        ("b", r"\0\0", "/b", "/bb"),
        ("b", r"\\1", "/b", r"/\1"),
        ("b", "", "/b", "/"),
        ("c", "d", "/b", "/b"),
    ],
)
def test_the_first_match_is_replaced(text: str, replacement: str, path: str, replaced: str) -> None:
    assert PathPattern(text, replacement).replaced(path) == replaced


@pytest.mark.parametrize(
    ("text", "replacement"), [("(a)", r"\2"), ("a", r"\1"), ("a", r"\g"), ("a", "\\"), ("(?=a)", ""), ("a" * 1001, "")]
)
def test_sec_51_a_replacement_names_groups_there_are(text: str, replacement: str) -> None:
    with pytest.raises(ValueError):
        PathPattern(text, replacement)


@pytest.mark.parametrize("text", ["[a-z]{1,1000}[a-z]{1,1000}[a-z]{1,1000}", r"\p{L}{1,5}"])
def test_sec_51_a_pattern_of_paths_that_costs_too_much_is_refused(text: str) -> None:
    assert Pattern(text)
    with pytest.raises(ValueError, match="costs more"):
        PathPattern(text)


@pytest.mark.parametrize(
    ("text", "path", "end"),
    [(r"/\p{L}+", "/abc/d", 4), ("/[^/]{1,255}/[^/]{1,255}", "/a/b/c", 4), ("[a-z]{1,900}z", "az", 2)],
)
def test_patterns_of_paths_that_people_write_are_cheap_enough(text: str, path: str, end: int) -> None:
    assert PathPattern(text).end(path) == end


def test_a_pattern_of_paths_travels_as_its_text() -> None:
    copy = pickle.loads(pickle.dumps(PathPattern("/(a)", r"/\1b")))
    assert copy == PathPattern("/(a)", r"/\1b") != PathPattern("/(a)")
    assert hash(copy) == hash(PathPattern("/(a)", r"/\1b"))
    assert copy.replaced("/a") == "/ab"
    assert repr(copy) == r"PathPattern('/(a)', '/\\1b')"
