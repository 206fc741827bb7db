"""An overload is said when it begins and when it ends, and not in between."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from jwtgate.gateway.listening.admission import CONNECTIONS, DESCRIPTORS, REQUESTS, Admission
from jwtgate.gateway.logs.episode import QUIET_SECONDS


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Said:
    caplog.set_level(logging.INFO, logger="jwtgate.process")
    return Said(caplog)


class Said(list[tuple[str, Any]]):
    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        super().__init__()
        self._caplog = caplog

    def take(self) -> list[tuple[str, Any]]:
        records = [(record.message, record.fields) for record in self._caplog.records]  # type: ignore[attr-defined]
        self._caplog.clear()
        return records


def test_rel_17_one_too_many_is_told_when_to_come_back() -> None:
    fault = Admission().refusal(REQUESTS, 10)
    assert (fault.reason, fault.status, fault.retry_after_seconds) == ("overloaded", 503, 1)


def test_rel_39_an_overload_is_two_lines_however_many_are_refused(said: Said) -> None:
    clock = Clock()
    admission = Admission(clock=clock)
    for _ in range(5):
        admission.refusal(REQUESTS, 10)
        clock.now += 0.5
    assert said.take() == [("overload_began", {"limit": "requests", "most": 10})]
    assert admission.overloaded
    admission.look(clock.now - 0.5 + QUIET_SECONDS)
    told = {"limit": "requests", "most": 10, "times": 5, "seconds": 2.0}
    assert said.take() == [("overload_ended", told)]
    assert not admission.overloaded


def test_an_overload_lasts_while_somebody_is_refused(said: Said) -> None:
    clock = Clock()
    admission = Admission(clock=clock)
    admission.refusal(REQUESTS, 10)
    said.take()
    admission.look(clock.now + QUIET_SECONDS - 0.01)
    assert said.take() == []
    assert admission.overloaded


def test_each_limit_has_an_overload_of_its_own(said: Said) -> None:
    clock = Clock()
    admission = Admission(clock=clock)
    admission.refusal(REQUESTS, 10)
    clock.now += QUIET_SECONDS
    admission.refusal(CONNECTIONS, 20)
    admission.look(clock.now)
    names = [(name, fields["limit"]) for name, fields in said.take()]
    assert names == [("overload_began", "requests"), ("overload_began", "connections"), ("overload_ended", "requests")]
    assert (admission.overloaded, admission.began) == (True, 2)


def test_rel_20_a_limit_that_refuses_nobody_is_reached_all_the_same(said: Said) -> None:
    clock = Clock()
    admission = Admission(clock=clock)
    admission.reach(DESCRIPTORS, 256)
    admission.look(clock.now + QUIET_SECONDS)
    told = {"limit": "descriptors", "most": 256, "times": 1, "seconds": 0.0}
    assert said.take() == [("overload_began", {"limit": "descriptors", "most": 256}), ("overload_ended", told)]


def test_an_overload_may_begin_again(said: Said) -> None:
    clock = Clock()
    admission = Admission(clock=clock)
    for _ in range(2):
        admission.refusal(REQUESTS, 10)
        clock.now += QUIET_SECONDS
        admission.look(clock.now)
    assert [name for name, _ in said.take()] == ["overload_began", "overload_ended"] * 2
    assert admission.began == 2
