"""The limit of descriptors is raised once, and who asks for more than it allows is told."""

from __future__ import annotations

import logging
import resource
from typing import Any

import pytest

from jwtgate.control.listening.descriptors import MOST, caution_about, raise_limit
from jwtgate.policy.plan import Limits

ENDLESS = resource.RLIM_INFINITY


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Any]]:
    return [(record.message, record.fields) for record in caplog.records]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="jwtgate.process")


@pytest.mark.parametrize(
    ("held", "wanted"),
    [((1024, 4096), 4096), ((1024, ENDLESS), MOST), ((1024, 1 << 30), MOST)],
    ids=["to the hard one", "without a hard one", "to no absurd one"],
)
def test_rel_20_the_soft_limit_becomes_the_hard_one(
    held: tuple[int, int], wanted: int, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[tuple[int, int]] = []
    raise_limit(held, set_limit=asked.append)
    assert asked == [(wanted, held[1])]
    assert told(caplog) == [("descriptor_limit", {"most": wanted, "raised_from": 1024})]


@pytest.mark.parametrize("held", [(4096, 4096), (ENDLESS, ENDLESS), (MOST, ENDLESS)])
def test_a_limit_that_is_high_enough_stays(held: tuple[int, int], caplog: pytest.LogCaptureFixture) -> None:
    raise_limit(held, set_limit=lambda limits: pytest.fail(str(limits)))
    assert [name for name, _ in told(caplog)] == ["descriptor_limit"]


def test_rel_20_a_limit_that_cannot_be_raised_is_told_and_lived_with(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: tuple[int, int]) -> None:
        raise PermissionError

    raise_limit((256, 4096), set_limit=refuse)
    assert told(caplog) == [("descriptor_limit_not_raised", {"most": 256})]


@pytest.mark.parametrize(("connections", "warned"), [(193, True), (192, False)])
def test_rel_20_connections_that_cannot_be_had_are_warned_of(
    connections: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caution_about(Limits(connections=connections), 256)
    expected = ("connections_out_of_reach", {"limit": connections, "descriptors": 256, "clients": 192})
    assert told(caplog) == ([expected] if warned else [])
