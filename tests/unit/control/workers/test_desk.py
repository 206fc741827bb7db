"""Counters go on when workers die."""

from jwtgate.control.workers.desk import Ledger
from jwtgate.gateway.observe import Counters


def counted(requests: int, *, connections_open: int = 0) -> Counters:
    return Counters(
        requests={("orders", 200, ""): requests},
        connections=requests,
        connections_open=connections_open,
        remembered_entries=connections_open,
    )


def test_the_last_count_of_each_living_worker_is_added_up() -> None:
    ledger = Ledger()
    ledger.note(1, counted(3))
    ledger.note(1, counted(5))
    ledger.note(2, counted(7))
    assert ledger.total() == counted(12)


def test_rel_50_what_a_dead_worker_counted_stays_and_what_it_had_open_does_not() -> None:
    ledger = Ledger()
    ledger.note(1, counted(3, connections_open=2))
    ledger.note(2, counted(4, connections_open=1))
    ledger.close(1)
    assert ledger.total() == counted(7, connections_open=1)
    ledger.note(1, counted(1))
    assert ledger.total() == counted(8, connections_open=1)


def test_a_worker_that_died_before_it_counted_changes_nothing() -> None:
    ledger = Ledger()
    ledger.close(1)
    assert ledger.total() == Counters()


def test_a_total_is_not_changed_by_what_comes_later() -> None:
    ledger = Ledger()
    ledger.note(1, counted(1))
    before = ledger.total()
    ledger.note(1, counted(2))
    assert before == counted(1)
