"""Every answer of the corpus, given by an upstream to a gateway of each reader of heads, and what its client sees."""

from __future__ import annotations

import threading

import pytest
from tests.conformance.plain_refusals import check_refusal
from tests.conformance.smuggling.answers import BAD, BAD_CHUNKS, BROKEN, CUT, GOOD, Answer
from tests.conformance.smuggling.front import Front
from tests.integration.rig import PATIENCE_SECONDS, Client, Message, Served, request, say, say_and_close

OURS = {b"x-request-id"}


def named(case: Answer) -> str:
    return case.id


def ask(front: Front, client: Client, case: Answer) -> Message:
    """The answer to a request that the upstream answers with this case."""
    front.expected += 1
    front.upstream.play(say_and_close(case.raw) if case.ends else say(case.raw))
    return client.ask(request(method=case.method))


def check_next(front: Front, client: Client, *, kept: bool) -> None:
    """The next request is answered with its own answer, over a connection that is still good."""
    front.expected += 1
    assert client.ask(request("/open/next")).body == b"ok"
    last, before = [
        next(served for served in front.upstream.connections if message in served.requests)
        for message in front.upstream.requests[:-3:-1]
    ]
    assert (last is before) is kept


@pytest.mark.parametrize("case", [*BAD, *BAD_CHUNKS, *BROKEN], ids=named)
def test_sec_98_an_answer_without_one_reading_is_a_502_and_its_connection_is_not_used_again(
    front: Front, case: Answer
) -> None:
    with Client(front.port) as client:
        answer = ask(front, client, case)
        assert (answer.status, answer.complete) == (502, True)
        check_refusal(answer)
        check_next(front, client, kept=False)


@pytest.mark.parametrize("case", [*BAD_CHUNKS, *CUT], ids=named)
def test_sec_98_an_answer_that_breaks_off_behind_its_head_cannot_look_complete(front: Front, case: Answer) -> None:
    end = case.raw.index(b"\r\n\r\n") + 4
    front.expected += 1
    told = threading.Event()

    def script(served: Served, _: Message) -> None:
        served.send(case.raw[:end])
        told.wait(PATIENCE_SECONDS)
        served.send(case.raw[end:])
        if case.ends:
            served.close()

    front.upstream.play(script)
    with Client(front.port) as client:
        client.send(request())
        assert client.upto(b"\r\n\r\n")
        told.set()
        client.to_end()
        assert client.end == "reset"


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_sec_98_an_answer_with_one_reading_is_written_anew(front: Front, case: Answer) -> None:
    assert case.told is not None
    with Client(front.port) as client:
        answer = ask(front, client, case)
        fields = tuple((name, value) for name, value in answer.fields if name.lower() not in OURS)
        assert (answer.status, fields, answer.body) == (case.told.status, case.told.fields, case.told.body)
        assert (answer.complete, answer.trailers) == (True, b"")
        check_next(front, client, kept=case.kept)


def test_the_corpus_of_answers_is_large_and_names_each_once() -> None:
    cases = [*BAD, *BAD_CHUNKS, *BROKEN, *CUT, *GOOD]
    assert len({case.id for case in cases}) == len(cases) >= 300
