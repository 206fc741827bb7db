"""A worker's generation keeps up with its keys, and its questions are asked once and answered or given up."""

import asyncio
import math
from collections.abc import Awaitable, Callable

import pytest

from jwtgate.control.generations import sent_keys
from jwtgate.control.workers import worker_state
from jwtgate.control.workers.link import (
    Answered,
    KeysChanged,
    KeysWanted,
    ReportWanted,
    SigningChanged,
    Told,
    Unanswered,
)
from jwtgate.control.workers.worker_state import Asking, Served
from jwtgate.errors import DependencyFault
from jwtgate.gateway.memory import FOR_EVER, Remembered
from jwtgate.gateway.observe import Counters, Report
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import NeedKeys
from jwtgate.state.answers import Snapshot

from ..samples import DOCUMENT, built, generations

HELD = Snapshot({"main": KeySet([generate_key("ES256").public()])})
REPORT = Report(Counters(), generation=1, ready=True)


class Supervisor:
    """The other end of a worker's questions: keeps them, and answers each with what `answer` makes of it."""

    def __init__(self, answer: Callable[[int], Answered | Unanswered | Told | None]) -> None:
        self.heard: list[object] = []
        self.now = 1000.0
        self._answer = answer
        self.asking = Asking(self._send, monotonic=lambda: self.now)

    def _send(self, message: object) -> None:
        assert isinstance(message, KeysWanted | ReportWanted)
        self.heard.append(message)
        answer = self._answer(message.ask)
        if answer is not None:
            asyncio.get_running_loop().call_soon(self.asking.take, answer)

    async def ask(self, kid: str = "k", number: int = 1) -> KeySet:
        return await self.asking.keys(NeedKeys("main", kid, "10.0.0.1"), number=number, held=HELD)


def run(asked: Callable[[], Awaitable[object]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await asked()

    asyncio.run(bounded())


def test_a_missing_key_is_asked_for_and_the_answer_is_the_set_that_was_sent() -> None:
    supervisor = Supervisor(lambda ask: Answered(ask, 0.0))

    async def ask() -> None:
        assert await supervisor.ask() is HELD.key_set("main")

    run(ask)
    assert supervisor.heard == [KeysWanted(1, 1, issuer="main", kid="k", client="10.0.0.1")]


def test_sec_65_an_unknown_kid_is_not_asked_for_again_while_the_supervisor_would_not_look() -> None:
    supervisor = Supervisor(lambda ask: Answered(ask, 30.0))

    async def ask() -> None:
        for now in (1000.0, 1001.0, 1029.9):
            supervisor.now = now
            assert await supervisor.ask() is HELD.key_set("main")
        assert len(supervisor.heard) == 1
        supervisor.now = 1030.0
        await supervisor.ask()
        assert len(supervisor.heard) == 2

    run(ask)


@pytest.mark.parametrize(("kid", "number"), [("other", 1), ("k", 2)])
def test_silence_about_one_kid_of_one_generation_is_not_silence_about_another(kid: str, number: int) -> None:
    supervisor = Supervisor(lambda ask: Answered(ask, math.inf))

    async def ask() -> None:
        await supervisor.ask()
        await supervisor.ask(kid, number)

    run(ask)
    assert len(supervisor.heard) == 2


def test_rel_18_what_is_remembered_of_made_up_kids_is_bounded() -> None:
    supervisor = Supervisor(lambda ask: Answered(ask, 300.0))

    async def ask() -> None:
        for number in range(worker_state.MOST_QUIET + 1):
            await supervisor.ask(f"{number}")
        asked = len(supervisor.heard)
        await supervisor.ask(f"{worker_state.MOST_QUIET}")
        assert len(supervisor.heard) == asked
        await supervisor.ask("0")
        assert len(supervisor.heard) == asked + 1

    run(ask)


def test_a_set_that_cannot_be_had_is_a_fault_with_its_time() -> None:
    supervisor = Supervisor(lambda ask: Unanswered(ask, "issuer_unreachable", 17))

    async def ask() -> None:
        with pytest.raises(DependencyFault) as fault:
            await supervisor.ask()
        assert (fault.value.reason, fault.value.retry_after_seconds) == ("issuer_unreachable", 17)

    run(ask)


def test_an_answer_without_any_set_is_a_fault() -> None:
    supervisor = Supervisor(lambda ask: Answered(ask, 0.0))

    async def ask() -> None:
        with pytest.raises(DependencyFault):
            await supervisor.asking.keys(NeedKeys("main", "k"), number=1, held=Snapshot())

    run(ask)


def test_whoever_waits_when_the_supervisor_is_gone_is_told_so() -> None:
    supervisor = Supervisor(lambda ask: None)

    async def ask() -> None:
        waiting = asyncio.create_task(supervisor.ask())
        await asyncio.sleep(0)
        supervisor.asking.lose()
        with pytest.raises(DependencyFault):
            await waiting

    run(ask)


def test_an_answer_nobody_waits_for_any_more_is_dropped() -> None:
    supervisor = Supervisor(lambda ask: None)

    async def ask() -> None:
        waiting = asyncio.create_task(supervisor.ask())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        supervisor.asking.take(Answered(1, 0.0))

    run(ask)


def test_the_report_is_the_one_that_is_told() -> None:
    supervisor = Supervisor(lambda ask: Told(ask, REPORT))

    async def ask() -> None:
        assert await supervisor.asking.report() is REPORT

    run(ask)


def test_a_generation_arrives_with_its_keys_and_documents() -> None:
    sent = built().prepare()
    served = Served.build(sent)
    assert served.generation.number == sent.number
    assert served.generation.keys_document == sent.signing.keys_document
    assert served.generation.metadata_document == sent.metadata_document
    held = served.held.key_set("main")
    assert held is not None
    assert len(held.candidates("HS256", None)) == 1


def test_sec_22_a_short_secret_that_was_permitted_once_arrives() -> None:
    legacy = DOCUMENT.replace("${env:TEST_SECRET}", "legacy-9d").replace(
        "algorithms:", "short_secret_allowed_for_legacy_credential: true\n    algorithms:"
    )
    served = Served.build(built(legacy).prepare())
    assert served.held.key_set("main") is not None


def test_sec_67_changed_keys_hold_at_once_and_what_was_remembered_is_forgotten() -> None:
    served = Served.build(built().prepare())
    served.generation.memory.remember("x", Remembered(b"", FOR_EVER, "main"))
    key = Key.secret(b"another secret, of the tests only", alg="HS256", kid="new")
    served.change(KeysChanged(1, "main", sent_keys(KeySet([key]))))
    held = served.held.key_set("main")
    assert held is not None
    assert [found.kid for found in held] == ["new"]
    assert len(served.generation.memory) == 0


def test_keys_that_may_not_be_used_any_more_are_gone() -> None:
    served = Served.build(built().prepare())
    served.change(KeysChanged(1, "main", None))
    assert served.held.key_set("main") is None


def test_changed_signing_keys_are_signed_with_and_shown() -> None:
    served = Served.build(built().prepare())
    before = served.generation.issued_tokens
    other = built(by=generations()).signing()
    served.change(SigningChanged(1, other))
    assert served.generation.keys_document == other.keys_document
    assert served.generation.issued_tokens is not before
