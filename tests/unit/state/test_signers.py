"""Signatures on threads of their own, and their way back."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable

from jwtgate.errors import DependencyFault
from jwtgate.policy.facts import IssuedToken
from jwtgate.state.signers import Signers

TOKEN = IssuedToken("a.b.c", 7)


def run(*jobs: Callable[[], IssuedToken], threads: int = 1) -> list[IssuedToken | DependencyFault]:
    """What comes of these jobs, delivered as a loop would."""
    woken: queue.Queue[Callable[[], None]] = queue.Queue()
    signers = Signers(threads, wake=woken.put)
    results: list[IssuedToken | DependencyFault] = []
    for job in jobs:
        signers.submit(job, results.append)
    while len(results) < len(jobs):
        woken.get(timeout=30)()
    signers.close()
    return results


def test_a_signature_comes_back_in_its_turn() -> None:
    assert run(lambda: TOKEN, lambda: IssuedToken("d.e.f", 8)) == [TOKEN, IssuedToken("d.e.f", 8)]


def test_a_fault_comes_back_as_a_value_and_the_thread_goes_on() -> None:
    def fail() -> IssuedToken:
        raise DependencyFault("signer_unavailable", key="k")

    def break_down() -> IssuedToken:
        raise RuntimeError("a bug")

    first, second, third = run(fail, break_down, lambda: TOKEN)
    assert isinstance(first, DependencyFault)
    assert isinstance(second, DependencyFault)
    assert second.reason == "signer_unavailable"
    assert third is TOKEN


def test_nothing_of_a_job_is_held_while_the_next_is_waited_for() -> None:
    class Job:
        def __call__(self) -> IssuedToken:
            return TOKEN

    gone = threading.Event()
    woken: queue.Queue[Callable[[], None]] = queue.Queue()
    signers = Signers(1, wake=woken.put)
    job = Job()
    weakref.finalize(job, gone.set)
    signers.submit(job, lambda _: None)
    del job
    woken.get(timeout=30)()
    assert gone.wait(30)
    signers.close()


def test_all_that_ends_while_the_loop_is_busy_costs_one_wake_up() -> None:
    woken: list[Callable[[], None]] = []
    ended = threading.Semaphore(0)
    signers = Signers(1, wake=woken.append)
    results: list[IssuedToken | DependencyFault] = []

    def sign() -> IssuedToken:
        ended.release()
        return TOKEN

    for _ in range(3):
        signers.submit(sign, results.append)
    for _ in range(3):
        assert ended.acquire(timeout=30)
    signers.close()
    threads = [thread for thread in threading.enumerate() if thread.name == "signer"]
    for thread in threads:
        thread.join(timeout=30)
    assert len(woken) == 1
    woken[0]()
    assert results == [TOKEN] * 3


def test_what_still_waits_is_dropped_when_they_close() -> None:
    going, release = threading.Event(), threading.Event()
    signers = Signers(1, wake=lambda deliver: None)
    called: list[int] = []

    def slow() -> IssuedToken:
        going.set()
        release.wait(30)
        return TOKEN

    signers.submit(slow, lambda _: called.append(1))
    assert going.wait(30)
    signers.submit(slow, lambda _: called.append(2))
    signers.close()
    release.set()
    for thread in [thread for thread in threading.enumerate() if thread.name == "signer"]:
        thread.join(timeout=30)
    signers.deliver()
    assert called == [1]
