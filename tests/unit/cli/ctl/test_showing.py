"""Answers of the Admin API for people."""

from __future__ import annotations

from jwtgate.cli.ctl.showing import done, keys, rows, status, value


def test_a_table_has_the_columns_asked_for() -> None:
    answer = rows(
        ("name", "changed_at"), [{"name": "a", "changed_at": 0, "more": 1}, {"name": None}], instants=("changed_at",)
    )
    assert [line.split("  ")[0].strip() for line in answer.text.splitlines()[1:]] == ["a", "-"]
    assert "1970-01-01" in answer.text
    assert answer.value == [{"name": "a", "changed_at": 0, "more": 1}, {"name": None}]


def test_sec_144_what_came_from_outside_cannot_move_the_cursor() -> None:
    assert "\x1b[2J" not in rows(("name",), [{"name": "\x1b[2J"}]).text
    assert "\x1b[2J" not in value({"a": "\x1b[2J"}, None).text
    assert "\x1b[2J" not in done("\x1b[2J", None).text


def test_nothing_is_said_to_be_nothing() -> None:
    assert rows(("name",), []).text == "none"


def test_a_node_that_is_not_ready_is_a_no() -> None:
    told = {"generation": 1, "ready": False, "issuers": []}
    assert not status(told).good
    assert status({**told, "ready": True}).good
    assert "ready            false" in status(told).text


def test_a_node_tells_of_everything_it_depends_on() -> None:
    told = {"ready": True, "consumers": {"document": 1, "store": 2}, "issuers": [{"issuer": "main", "stale": False}]}
    assert status({**told, "secret_stores": []}).text.splitlines() == [
        "ready            true",
        "consumers        document 1, store 2",
        "",
        "\x1b[1missuer  stale\x1b[0m",
        "main    false",
    ]


def test_keys_are_told_with_the_instants_of_their_states() -> None:
    shown = keys([{"kid": "k1", "alg": "ES256", "state": "active", "published_at": 0, "active_from": None}])
    assert "k1   ES256  active  1970-01-01 00:00:00Z  -" in shown.text
