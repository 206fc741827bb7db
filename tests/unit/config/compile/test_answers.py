"""Answers as the plan has them."""

from __future__ import annotations

from pydantic import TypeAdapter

from jwtgate.config.compile.answers import compile_answers, of_answers
from jwtgate.config.sections.answers import Answers
from jwtgate.errors import CATALOGUE, Fault, KeyRefused, Refusal, RouteUnknown
from jwtgate.policy.provisions import Answer, Origin, Value

ADAPTER = TypeAdapter(Answers)


def test_an_answer_keeps_what_it_says_and_leaves_the_rest_to_the_gateway() -> None:
    whole = {
        "status": 303,
        "headers": {"Location": "/login", "X-Path": {"request": "path"}},
        "body": {"claim": "sub"},
        "content_type": "text/plain",
        "challenge": False,
        "calls": ["one", "two"],
    }
    answers = compile_answers(ADAPTER.validate_python({"token_expired": whole, "refusal": {"status": 403}}), "access")
    assert answers == {
        "token_expired": Answer(
            303,
            ((b"Location", Value(Origin.CONSTANT, constant="/login")), (b"X-Path", Value(Origin.PATH))),
            Value(Origin.CLAIM, slot="access", path=("sub",)),
            "text/plain",
            challenge=False,
            calls=("one", "two"),
        ),
        "Refusal": Answer(403),
    }
    assert [value.origin for value in of_answers(answers)] == [Origin.CONSTANT, Origin.PATH, Origin.CLAIM]


def test_an_answer_may_say_parts_of_its_refusal() -> None:
    said = {"body": {"refusal": "reason"}, "headers": {"X-Id": {"refusal": "request_id"}}}
    (answer,) = compile_answers(ADAPTER.validate_python({"*": said}), "").values()
    assert answer.body == Value(Origin.REFUSAL, path=("reason",))
    assert answer.fields == ((b"X-Id", Value(Origin.REFUSAL, path=("request_id",))),)


def test_every_reason_and_every_class_of_an_answer_can_be_named_as_the_gateway_knows_it() -> None:
    known = {name: kind.raised_as for name, kind in CATALOGUE.items()}
    answered = {name: kind for name, kind in known.items() if not issubclass(kind, KeyRefused | RouteUnknown)}
    words: dict[str, type[Exception]] = {
        "refusal": Refusal,
        "fault": Fault,
        **{
            "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__)[1:]: kind
            for kind in answered.values()
        },
    }
    compiled = compile_answers(ADAPTER.validate_python({name: {"status": 500} for name in (*answered, *words)}), "")
    assert set(compiled) == (set(answered) | {kind.__name__ for kind in words.values()}) - {"credential_missing"}
