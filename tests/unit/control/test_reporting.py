"""What is told of the dependencies of a generation, and when it is degraded by them (REL-38, REL-39)."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jwtgate.control.built import Built
from jwtgate.control.reporting import introspection_report, secret_store_report
from jwtgate.gateway.observe import Counters, IntrospectionReport, Report, SecretStoreReport
from jwtgate.state.callers import introspection
from jwtgate.state.secrets import holdings

from .samples import built

ASKED = introspection.IntrospectionReport(
    issuer="main",
    endpoint="https://issuer.example/introspect",
    breaker="closed",
    calls=7,
    in_flight=1,
    remembered=3,
    from_memory=11,
    stood_in=2,
    not_understood=0,
    failures={"timeout": 4, "left_alone": 1},
    last_failure="timeout",
    last_failure_detail="a detail",
    evicted=9,
)
STORE = holdings.SecretStoreReport(
    name="vault", kind="vault", values=2, missing=1, age_seconds=8.5, stale=False, last_failure=None
)


class Telling:
    """State that tells this of itself."""

    def __init__(self, *told: object) -> None:
        self.told = told

    def report(self) -> tuple[object, ...]:
        return self.told


def report(made: Built, **state: Any) -> Report:
    return asyncio.run(replace(made, **state).report(Counters(), ready=True))


def test_an_introspection_is_told_without_its_address() -> None:
    assert introspection_report(ASKED) == IntrospectionReport(
        "main", False, 7, {"timeout": 4, "left_alone": 1}, 3, 11, 2, "timeout", 9
    )
    assert introspection_report(replace(ASKED, last_failure=None)).last_failure == ""


def test_a_secret_store_is_told_by_its_name() -> None:
    assert secret_store_report(STORE) == SecretStoreReport("vault", 2, 1, 8.5, False)


@pytest.mark.parametrize(("breaker", "degraded"), [("closed", False), ("trying", False), ("open", True)])
def test_rel_38_an_endpoint_that_is_left_alone_degrades_and_leaves_ready(breaker: str, degraded: bool) -> None:
    told = report(built(), introspections=Telling(replace(ASKED, breaker=breaker)))
    assert (told.ready, told.degraded, told.introspections[0].left_alone) == (True, degraded, degraded)


@pytest.mark.parametrize("stale", [True, False])
def test_rel_38_a_stale_secret_store_degrades_and_leaves_ready(stale: bool) -> None:
    told = report(built(), secret_stores=Telling(replace(STORE, stale=stale)))
    assert (told.ready, told.degraded, told.secret_stores[0].stale) == (True, stale, stale)


def test_rel_38_consumers_that_cannot_be_found_degrade_and_leave_ready() -> None:
    made = built()
    assert sum(each.count for each in report(made).consumers) == 0
    assert not report(made).degraded
    made.callers.directory.close()
    told = report(made)
    assert (told.ready, told.degraded, told.consumers) == (True, True, ())
