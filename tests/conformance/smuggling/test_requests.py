"""Every case of the corpus, sent to a gateway of each reader of heads before an upstream that writes down what it gets.

What reaches the upstream is compared byte for byte, and counted: no case leaves a request behind for the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.conformance.plain_refusals import check_refusal
from tests.conformance.smuggling.case import PROBE, Case, Sent
from tests.conformance.smuggling.corpus import CASES
from tests.conformance.smuggling.front import Front
from tests.integration.rig import Client, Message

PROBED = Sent(target=b"/open/probe")


def play(front: Front, case: Case, pieces: int) -> None:
    """Send a case with a plain request behind it, and compare everything that comes of the two."""
    raw = case.raw + PROBE
    sent = (*case.sent, PROBED) if case.open else case.sent
    size = len(raw) // pieces
    front.expected += len(sent)
    before = len(front.upstream.requests)
    with Client(front.port) as client:
        client.send(raw, *(size * number for number in range(1, pieces)))
        answers = (*case.answers, 200) if case.open else case.answers
        bodiless = case.raw.startswith(b"HEAD ")
        given = [final(client, bodiless=bodiless and not at) for at in range(len(answers))]
        statuses = [answer.status for answer in given]
        assert statuses == [*answers] or (pieces > 1 and early(statuses) == early(answers))
        for refusal in (answer for answer in given if answer.status != 200):
            check_refusal(refusal)
        if not case.open:
            assert client.ended() in ("eof", "reset")
    check_sent(front, before, sent)


def early(statuses: Sequence[int]) -> list[int]:
    """These statuses where bytes come in pieces: a first line is refused before it is known whether it was a method."""
    return [400 if status == 501 else status for status in statuses]


def final(client: Client, *, bodiless: bool) -> Message:
    """The next answer that is not an interim one."""
    while (answer := client.answer(bodiless=bodiless)).status == 100:
        pass
    return answer


def check_sent(front: Front, before: int, sent: tuple[Sent, ...]) -> None:
    """Compare what has reached the upstream with what was to."""
    authority = b"127.0.0.1:%d" % front.upstream.port
    got = front.upstream.requests[before:]
    ids = [(message.value("X-Request-Id") or "").encode() for message in got]
    wanted = [request.head(authority, each) for request, each in zip(sent, ids, strict=False)]
    assert [message.raw_head for message in got] == wanted
    assert [(message.body, message.trailers) for message in got] == [(request.body, b"") for request in sent]


@pytest.mark.parametrize("pieces", [1, 4])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_sec_90_what_has_two_readings_is_refused_and_what_has_one_goes_on_byte_for_byte(
    front: Front, case: Case, pieces: int
) -> None:
    play(front, case, pieces)


def test_the_corpus_is_large_and_names_each_case_once() -> None:
    assert len({case.raw for case in CASES}) == len({case.id for case in CASES}) == len(CASES) >= 1000
