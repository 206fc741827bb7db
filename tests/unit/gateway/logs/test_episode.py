"""What happens many times in a row is said when it begins and when it is over."""

from __future__ import annotations

from typing import Any

import pytest

from jwtgate.gateway.logs.episode import QUIET_SECONDS, Episode, say


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Any]]:
    return [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records]


def test_a_line_has_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    say("target_state", target="a:1", state="down")
    assert lines(caplog) == [("target_state", {"target": "a:1", "state": "down"})]


def test_rel_39_its_beginning_and_its_end_are_one_line_each(caplog: pytest.LogCaptureFixture) -> None:
    episode = Episode("breaker_open", upstream="echo")
    episode.happened(10.0)
    episode.happened(10.5)
    assert episode.is_on
    episode.look(10.5 + QUIET_SECONDS - 0.1)
    assert episode.is_on
    episode.look(10.5 + QUIET_SECONDS)
    episode.look(99.0)
    assert not episode.is_on
    assert lines(caplog) == [
        ("breaker_open_began", {"upstream": "echo"}),
        ("breaker_open_ended", {"upstream": "echo", "times": 2, "seconds": 0.5}),
    ]
    episode.happened(100.0)
    assert episode.total == 3
    assert len(caplog.records) == 3


def test_what_never_happened_is_never_over(caplog: pytest.LogCaptureFixture) -> None:
    Episode("breaker_open").look(1e9)
    assert caplog.records == []
