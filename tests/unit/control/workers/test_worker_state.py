"""A worker's generation keeps up with its keys, and its questions are asked once and answered or given up."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from jwtgate.control.built import sent_keys
from jwtgate.control.workers import worker_state
from jwtgate.control.workers.messages import (
    Answered,
    ConsumersChanged,
    Found,
    KeysChanged,
    NotYet,
    ReportWanted,
    RevocationsChanged,
    SentCredential,
    SigningChanged,
    StoreChanged,
    Told,
    Unanswered,
    Wanted,
)
from jwtgate.control.workers.worker_state import QUIET_SECONDS, Answer, Asking, Served
from jwtgate.errors import DependencyFault
from jwtgate.gateway.memory import FOR_EVER, Remembered
from jwtgate.gateway.mint import Minted, NeedMinted
from jwtgate.gateway.observe import Counters, Report
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import (
    Allowance,
    Introspected,
    Need,
    NeedAllowance,
    NeedConsumer,
    NeedCredential,
    NeedFirstUse,
    NeedIntrospection,
    NeedKeys,
    NeedNewerCredential,
    NeedSigned,
)
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.revocations import Revocation, RevokedBy
from jwtgate.state.answers import Snapshot

from ..samples import DOCUMENT, built, generations

HELD = Snapshot({"main": KeySet([generate_key("ES256").public()])})
REPORT = Report(Counters(), generation=1, ready=True)


class Supervisor:
    """The other end of a worker's questions: keeps them, and answers each with what `answer` makes of it."""

    def __init__(self, answer: Callable[[int], Answer | None]) -> None:
        self.heard: list[object] = []
        self.now = 1000.0
        self._answer = answer
        self.asking = Asking(self._send, monotonic=lambda: self.now)

    def _send(self, message: object) -> None:
        assert isinstance(message, Wanted | ReportWanted)
        self.heard.append(message)
        answer = self._answer(message.ask)
        if answer is not None:
            asyncio.get_running_loop().call_soon(self.asking.take, answer)

    async def ask(self, kid: str = "k", number: int = 1) -> object:
        return await self.asking.ask(NeedKeys("main", kid, "10.0.0.1"), number=number, held=HELD)

    async def look_up(self, need: Need | NeedMinted, held: Snapshot | None = None, number: int = 1) -> object:
        return await self.asking.ask(need, number=number, held=held or Snapshot())


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
    assert supervisor.heard == [Wanted(1, 1, NeedKeys("main", "k", "10.0.0.1"))]


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


def test_silence_about_a_kid_is_none_about_keys_that_made_no_signature_nor_the_reverse() -> None:
    supervisor = Supervisor(lambda ask: Answered(ask, 30.0))
    distrusted = NeedKeys("main", "k", "10.0.0.1", distrusted=True)

    async def ask() -> None:
        for _ in range(3):
            await supervisor.ask()
            assert await supervisor.asking.ask(distrusted, number=1, held=HELD) is HELD.key_set("main")

    run(ask)
    trusted = NeedKeys("main", "k", "10.0.0.1")
    assert supervisor.heard == [Wanted(1, 1, trusted), Wanted(2, 1, distrusted)]


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


def test_a_set_that_cannot_be_had_is_a_fault_with_its_time_and_its_cause() -> None:
    supervisor = Supervisor(lambda ask: Unanswered(ask, "issuer_unreachable", 17, {"cause": "timeout"}))

    async def ask() -> None:
        with pytest.raises(DependencyFault) as fault:
            await supervisor.ask()
        assert (fault.value.reason, fault.value.retry_after_seconds) == ("issuer_unreachable", 17)
        assert fault.value.detail == {"cause": "timeout"}

    run(ask)


def test_an_answer_without_any_set_is_a_fault() -> None:
    supervisor = Supervisor(lambda ask: Answered(ask, 0.0))

    async def ask() -> None:
        with pytest.raises(DependencyFault):
            await supervisor.asking.ask(NeedKeys("main", "k"), number=1, held=Snapshot())

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
    held = served.generation.facts.key_set("main")
    assert held is not None
    assert len(held.candidates("HS256", None)) == 1


def test_sec_22_a_short_secret_that_was_permitted_once_arrives() -> None:
    legacy = DOCUMENT.replace("${env:TEST_SECRET}", "legacy-9d").replace(
        "algorithms:", "short_secret_allowed_for_legacy_credential: true\n    algorithms:"
    )
    served = Served.build(built(legacy).prepare())
    assert served.generation.facts.key_set("main") is not None


def test_sec_67_changed_keys_hold_at_once_and_what_was_remembered_is_forgotten() -> None:
    served = Served.build(built().prepare())
    served.generation.memory.remember("x", Remembered(b"", FOR_EVER, "main"))
    key = Key.secret(b"another secret, of the tests only", alg="HS256", kid="new")
    served.change(KeysChanged(1, "main", sent_keys(KeySet([key]))))
    held = served.generation.facts.key_set("main")
    assert held is not None
    assert [found.kid for found in held] == ["new"]
    assert len(served.generation.memory) == 0


def test_every_worker_gives_out_the_same_nonces_after_a_reload_too() -> None:
    by = generations()
    one, other = (Served.build(built(by=by).prepare()).generation.nonces for _ in range(2))
    assert one.around(1_800_000_000, 60) == other.around(1_800_000_000, 60)
    elsewhere = Served.build(built().prepare()).generation.nonces
    assert one.around(1_800_000_000, 60) != elsewhere.around(1_800_000_000, 60)


def test_keys_that_may_not_be_used_any_more_are_gone() -> None:
    served = Served.build(built().prepare())
    served.change(KeysChanged(1, "main", None))
    assert served.generation.facts.key_set("main") is None


def test_changed_signing_keys_are_signed_with_and_shown() -> None:
    served = Served.build(built().prepare())
    served.generation.memory.remember("x", Remembered(b"", FOR_EVER, "main"))
    epoch = served.generation.epoch
    before = served.generation.issued_tokens
    other = built(by=generations()).signing()
    served.change(SigningChanged(1, other))
    assert served.generation.keys_document == other.keys_document
    assert served.generation.issued_tokens is not before
    # Nor is a token of a key that was dropped sent once more, even if it is being decided on now.
    assert len(served.generation.memory) == 0
    assert served.generation.epoch == epoch + 1


ANY_CLAIMS = NeedSigned("default", {}, {"sub": "alice"})


def test_only_a_key_that_permits_it_signs_any_claims() -> None:
    served = Served.build(built().prepare())
    with pytest.raises(DependencyFault):
        served.generation.signed_tokens.sign(ANY_CLAIMS)


def test_a_key_that_permits_it_signs_any_claims_also_after_a_change() -> None:
    permitting = "signing: {keys: {default: {signs_any_claims_for_legacy_readers: true}}, issuer:"
    document = DOCUMENT.replace("signing: {issuer:", permitting)
    served = Served.build(built(document).prepare())
    before = served.generation.signed_tokens.sign(ANY_CLAIMS)
    assert before.count(".") == 2
    other = built(document, by=generations()).signing()
    tokens = served.generation.signed_tokens
    served.change(SigningChanged(1, other))
    assert served.generation.signed_tokens is not tokens
    assert served.generation.signed_tokens.sign(ANY_CLAIMS).split(".")[:2] == before.split(".")[:2]


def test_signing_keys_of_another_generation_change_nothing() -> None:
    served = Served.build(built().prepare())
    served.generation.memory.remember("x", Remembered(b"", FOR_EVER, "main"))
    before = served.generation.issued_tokens
    served.change(SigningChanged(2, built(by=generations()).signing()))
    assert served.generation.issued_tokens is before
    assert len(served.generation.memory) == 1


ANN = Consumer("ann", "1", external_id="a-1", attributes={"plan": {"seats": 5}})
BY = (ConsumerName.EXTERNAL_ID, ConsumerName.NAME)
INTROSPECTED = Introspected(True, {"sub": "ann"}, 2_000_000_000)
SECRET_KEY = Key.secret(b"a secret of a consumer of the tests", alg="HS256")
SENT = SentCredential("key-1", "c-1", ANN, frozenset({"HS256"}), sent_keys(KeySet([SECRET_KEY])), 5, {"tier": "1"})


def test_a_consumer_is_looked_up_and_then_held() -> None:
    supervisor, held = Supervisor(lambda ask: Found(ask, ANN)), Snapshot()

    async def ask() -> None:
        assert await supervisor.look_up(NeedConsumer(BY, "a-1"), held) == ANN

    run(ask)
    assert supervisor.heard == [Wanted(1, 1, NeedConsumer(BY, "a-1"))]
    assert held.consumer(BY, "a-1") == ANN
    assert held.consumer((ConsumerName.NAME,), "a-1") is None


def test_a_credential_arrives_with_keys_that_verify() -> None:
    supervisor, held = Supervisor(lambda ask: Found(ask, SENT)), Snapshot()

    async def ask() -> None:
        await supervisor.look_up(NeedCredential("key-1"), held)

    run(ask)
    credential = held.credential("key-1")
    assert credential is not None
    assert (credential.consumer, credential.algorithms, credential.leeway_seconds) == (ANN, {"HS256"}, 5)
    assert [key.thumbprint() for key in credential.keys] == [SECRET_KEY.thumbprint()]


def test_a_consumer_nobody_knows_is_none_and_asked_for_again() -> None:
    supervisor = Supervisor(lambda ask: Found(ask, None))

    async def ask() -> None:
        assert await supervisor.look_up(NeedConsumer(BY, "a-1")) is None
        assert await supervisor.look_up(NeedConsumer(BY, "a-1")) is None

    run(ask)
    assert len(supervisor.heard) == 2


def test_rel_18_a_made_up_credential_is_asked_for_once_until_the_callers_change() -> None:
    found: list[object] = [None, None, SENT]
    supervisor = Supervisor(lambda ask: Found(ask, found[ask - 1]))
    served = Served.build(built().prepare())
    held = served.generation.facts

    async def ask() -> None:
        for _ in range(100):
            assert await supervisor.look_up(NeedCredential("key-1"), held) is None
        assert len(supervisor.heard) == 1
        assert await supervisor.look_up(NeedCredential("key-2"), held) is None
        served.change(ConsumersChanged())
        credential = await supervisor.look_up(NeedCredential("key-1"), held)
        assert isinstance(credential, Credential)
        assert credential.consumer == ANN

    run(ask)
    assert len(supervisor.heard) == 3


def test_a_credential_somebody_waits_for_is_asked_for_each_time_until_it_is_there() -> None:
    found: list[object] = [NotYet(), NotYet(), SENT]
    supervisor, held = Supervisor(lambda ask: Found(ask, found[ask - 1])), Snapshot()

    async def ask() -> None:
        assert await supervisor.look_up(NeedCredential("elsewhere"), held) is None
        assert await supervisor.look_up(NeedCredential("elsewhere"), held) is None
        assert isinstance(await supervisor.look_up(NeedCredential("elsewhere"), held), Credential)

    run(ask)
    assert len(supervisor.heard) == 3


def test_a_credential_is_remembered_by_what_tokens_name_it() -> None:
    supervisor, held = Supervisor(lambda ask: Found(ask, SENT)), Snapshot()

    async def ask() -> None:
        await supervisor.look_up(NeedCredential("elsewhere"), held)

    run(ask)
    assert held.credential("key-1") is None
    credential = held.credential("elsewhere")
    assert credential is not None
    assert (credential.name, credential.labels) == ("key-1", {"tier": "1"})


PUBLISHED = SentCredential(
    "key-1", "c-1", ANN, frozenset({"HS256"}), sent_keys(KeySet([SECRET_KEY.with_kid("k1")])), None, fetched=True
)


def test_a_newer_key_is_asked_for_once_by_all_and_held_from_then_on() -> None:
    supervisor, held = Supervisor(lambda ask: Found(ask, PUBLISHED)), Snapshot()

    async def ask() -> None:
        needs = [NeedNewerCredential("key-1", "k1", f"192.0.2.{number}") for number in range(9)]
        for found in await asyncio.gather(*(supervisor.look_up(need, held) for need in needs)):
            assert isinstance(found, Credential)
            assert found.fetched
        await supervisor.look_up(needs[0], held)

    run(ask)
    assert supervisor.heard == [Wanted(ask, 1, NeedNewerCredential("key-1", "k1", "192.0.2.0")) for ask in (1, 2)]
    assert held.credential("key-1") is not None


def test_sec_65_a_key_nobody_published_is_not_asked_for_again_for_some_seconds() -> None:
    supervisor, held = Supervisor(lambda ask: Found(ask, PUBLISHED)), Snapshot()

    async def ask() -> None:
        assert isinstance(await supervisor.look_up(NeedNewerCredential("key-1", "k9"), held), Credential)
        for _ in range(100):
            assert await supervisor.look_up(NeedNewerCredential("key-1", "k9", "192.0.2.1"), held) is None
        assert len(supervisor.heard) == 1
        await supervisor.look_up(NeedNewerCredential("key-1", "k8"), held)
        supervisor.now += QUIET_SECONDS
        await supervisor.look_up(NeedNewerCredential("key-1", "k9"), held)

    run(ask)
    assert len(supervisor.heard) == 3


def test_a_secret_that_was_permitted_to_be_weak_arrives_as_any_other() -> None:
    weak = Key.secret(
        b"secret",
        alg="HS256",
        short_secret_allowed_for_legacy_credential=True,
        guessable_secret_allowed_for_legacy_credential=True,
    )
    supervisor, held = Supervisor(lambda ask: Found(ask, replace(SENT, keys=sent_keys(KeySet([weak]))))), Snapshot()

    async def ask() -> None:
        found = await supervisor.look_up(NeedCredential("key-1"), held)
        assert isinstance(found, Credential)
        assert [key.material.verifier for key in found.keys] == [b"secret"]

    run(ask)


def test_rel_34_the_same_question_at_the_same_time_is_asked_once() -> None:
    supervisor = Supervisor(lambda ask: Found(ask, INTROSPECTED))

    async def ask() -> None:
        need = NeedIntrospection("main", "opaque")
        answers = await asyncio.gather(*(supervisor.look_up(need) for _ in range(500)))
        assert answers == [INTROSPECTED] * 500

    run(ask)
    assert len(supervisor.heard) == 1


def test_questions_that_differ_are_asked_each() -> None:
    supervisor = Supervisor(lambda ask: Found(ask, INTROSPECTED))

    async def ask() -> None:
        first, second = NeedIntrospection("main", "opaque"), NeedIntrospection("main", "other")
        asked = (supervisor.look_up(first), supervisor.look_up(second), supervisor.look_up(first, number=2))
        await asyncio.gather(*asked)

    run(ask)
    assert len(supervisor.heard) == 3


def test_a_token_is_minted_for_each_who_asks() -> None:
    supervisor = Supervisor(lambda ask: Found(ask, Minted(f"token-{ask}", 60)))

    async def ask() -> None:
        need = NeedMinted("key-1", None, {"sub": "ann"}, 60)
        first, second = await asyncio.gather(supervisor.look_up(need), supervisor.look_up(need))
        assert first != second

    run(ask)


def test_everybody_who_asks_for_leave_is_counted() -> None:
    supervisor = Supervisor(lambda ask: Found(ask, Allowance(True, 3 - ask, 30)))

    async def ask() -> None:
        need = NeedAllowance("route orders", "a", 3, 30)
        first, second = await asyncio.gather(supervisor.look_up(need), supervisor.look_up(need))
        assert (first, second) == (Allowance(True, 2, 30), Allowance(True, 1, 30))

    run(ask)


def test_sec_79_of_two_that_use_the_same_only_one_is_the_first() -> None:
    supervisor = Supervisor(lambda ask: Found(ask, ask == 1))

    async def ask() -> None:
        need = NeedFirstUse("key", "jti", 21)
        assert await asyncio.gather(supervisor.look_up(need), supervisor.look_up(need)) == [True, False]

    run(ask)


def test_who_gives_up_waiting_takes_the_answer_from_nobody_else() -> None:
    supervisor = Supervisor(lambda ask: None)

    async def ask() -> None:
        need = NeedIntrospection("main", "opaque")
        impatient, patient = (asyncio.create_task(supervisor.look_up(need)) for _ in range(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        impatient.cancel()
        supervisor.asking.take(Found(1, INTROSPECTED))
        assert await patient == INTROSPECTED

    run(ask)


def test_a_fault_is_everybody_s_who_waits_and_the_next_one_asks_again() -> None:
    answers = [lambda ask: Unanswered(ask, "introspection_unreachable", 3), lambda ask: Found(ask, INTROSPECTED)]
    supervisor = Supervisor(lambda ask: answers.pop(0)(ask))

    async def ask() -> None:
        need = NeedIntrospection("main", "opaque")
        faults = await asyncio.gather(*(supervisor.look_up(need) for _ in range(3)), return_exceptions=True)
        assert [(type(fault), getattr(fault, "reason", "")) for fault in faults] == [
            (DependencyFault, "introspection_unreachable")
        ] * 3
        assert await supervisor.look_up(need) == INTROSPECTED

    run(ask)


@pytest.mark.parametrize(
    ("need", "reason"),
    [
        (NeedConsumer(BY, "a-1"), "consumers_unreachable"),
        (NeedCredential("key-1"), "consumers_unreachable"),
        (NeedIntrospection("main", "opaque"), "introspection_unreachable"),
        (NeedMinted("key-1", None, {}, 60), "signer_unavailable"),
        (NeedAllowance("route orders", "a", 3, 30), "requests_not_counted"),
        (NeedFirstUse("key", "jti", 21), "requests_not_counted"),
    ],
)
def test_a_supervisor_that_is_gone_is_a_fault_of_the_kind_that_was_asked(need: Need, reason: str) -> None:
    supervisor = Supervisor(lambda ask: None)

    async def ask() -> None:
        waiting = asyncio.create_task(supervisor.look_up(need))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        supervisor.asking.lose()
        with pytest.raises(DependencyFault) as fault:
            await waiting
        assert fault.value.reason == reason

    run(ask)


def test_what_was_found_is_out_of_date_as_soon_as_a_change_is_heard() -> None:
    """The answer and the change behind it may both have arrived before whoever asked wakes up."""
    supervisor, served = Supervisor(lambda ask: None), Served.build(built().prepare())
    held = served.generation.facts

    async def ask() -> None:
        waiting = asyncio.create_task(supervisor.look_up(NeedConsumer(BY, "a-1"), held))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        supervisor.asking.take(Found(1, ANN))
        served.change(ConsumersChanged())
        assert await waiting == ANN

    run(ask)
    assert held.consumer(BY, "a-1") is None


def test_who_asks_once_an_answer_is_there_asks_anew() -> None:
    """Else somebody who asks after a change might be given what was found before it, and remember that."""
    supervisor, held = Supervisor(lambda ask: None), Snapshot()

    async def ask() -> None:
        first = asyncio.create_task(supervisor.look_up(NeedConsumer(BY, "a-1"), held))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        supervisor.asking.take(Found(1, ANN))
        second = asyncio.create_task(supervisor.look_up(NeedConsumer(BY, "a-1"), held))
        assert await first == ANN
        await asyncio.sleep(0)
        third = asyncio.create_task(supervisor.look_up(NeedConsumer(BY, "a-1"), held))
        await asyncio.sleep(0)
        supervisor.asking.take(Found(2, None))
        assert await second is None
        assert await third is None

    run(ask)
    assert len(supervisor.heard) == 2


def test_changed_consumers_are_forgotten_and_so_is_what_was_remembered() -> None:
    served = Served.build(built().prepare())
    served.generation.facts.note_consumer(BY, "a-1", ANN)
    served.generation.memory.remember("x", Remembered(b"", FOR_EVER, "main"))
    epoch = served.generation.epoch
    served.change(ConsumersChanged())
    assert served.generation.facts.consumer(BY, "a-1") is None
    assert len(served.generation.memory) == 0
    assert served.generation.epoch == epoch + 1


def test_sec_75_revocations_hold_at_once_and_what_was_remembered_is_forgotten() -> None:
    served = Served.build(built().prepare())
    served.generation.memory.remember("x", Remembered(b"", FOR_EVER, "main"))
    served.change(RevocationsChanged((Revocation("r-1", RevokedBy.SUBJECT, "alice"),)))
    revoked = served.generation.facts.revocations
    assert revoked.find("main", text="", claims={"sub": "alice"}, consumer=None, now=0) is not None
    assert len(served.generation.memory) == 0
    served.change(RevocationsChanged(()))
    assert not served.generation.facts.revocations


def test_sec_76_a_store_that_is_away_or_back_is_heeded_and_what_was_remembered_is_forgotten() -> None:
    served = Served.build(built().prepare())
    assert not served.generation.facts.store_away
    for away in (True, False):
        epoch = served.generation.epoch
        served.generation.memory.remember("x", Remembered(b"", FOR_EVER, "main"))
        served.change(StoreChanged(away))
        assert served.generation.facts.store_away is away
        assert (len(served.generation.memory), served.generation.epoch) == (0, epoch + 1)


def test_a_change_of_another_generation_changes_nothing() -> None:
    served = Served.build(built().prepare())
    served.change(KeysChanged(served.generation.number + 1, "main", None))
    assert served.generation.facts.key_set("main") is not None
