from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from jwtgate.dialects.dialect import Settings
from jwtgate.dialects.sharing import listeners, take_shared_answers

SETTINGS = Settings(folder=Path(), state_folder=Path(), environ={}, listen=("a:1",))


def test_it_listens_without_and_with_tls() -> None:
    assert listeners(SETTINGS) == ["a:1"]
    both = replace(SETTINGS, tls_listen=("a:2",), certificate="/c", private_key="/k")
    tls = {"certificate": "/c", "private_key": "/k"}
    assert listeners(both) == ["a:1", {"address": "a:2", "tls": tls}]


def routes(*answers: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    return {str(number): {} if each is None else {"answers": each} for number, each in enumerate(answers)}


def test_what_most_routes_answer_is_taken_off_them() -> None:
    often, seldom = {"token_refused": {"status": 401}}, {"token_refused": {"status": 403}}
    given = routes(often, seldom, None, often)
    assert take_shared_answers(given) == often
    assert given == routes(None, seldom, None, None)


def test_what_one_route_answers_alone_stays_with_it() -> None:
    for answers in ([], [{"token_refused": {"status": 401}}, {"token_refused": {"status": 403}}, None]):
        given = routes(*answers)
        assert take_shared_answers(given) == {}
        assert given == routes(*answers)
