"""Which answers no shared cache may keep, as routes and slots say; and the field that tells a request's id."""

from __future__ import annotations

import pytest

from .rig import Client, Document, document, gateway_and_upstream, request, response, say, token

PUBLIC = say(response(b"ok", "Cache-Control: public"))


def slots(*private: bool | None) -> Document:
    """The route `orders`, with a slot that says this of its answers for each."""
    described = [{"issuers": ["main"], "from": [{"header": f"X-Token-{index}"}]} for index in range(len(private))]
    for slot, said in zip(described, private, strict=True):
        if said is not None:
            slot["private_responses"] = said
    named = {f"slot{index}": slot for index, slot in enumerate(described)}
    return {"routes": {"orders": {"issuers": None, "issue": None, "headers": None, "slots": named}}}


def asked(number: int) -> bytes:
    return request("/orders/1", *(f"X-Token-{index}: {token()}" for index in range(number)))


@pytest.mark.parametrize(
    ("private", "values"),
    [
        ((None,), ["public", "private"]),
        ((True,), ["public", "private"]),
        ((False,), ["public"]),
        ((False, None), ["public", "private"]),
        ((False, False), ["public"]),
    ],
)
def test_an_answer_is_private_where_one_slot_says_so_and_keeps_what_the_upstream_says(
    private: tuple[bool | None, ...], values: list[str]
) -> None:
    with gateway_and_upstream(PUBLIC, **slots(*private)) as (gateway, _), Client(gateway.port) as client:
        assert client.ask(asked(len(private))).values("Cache-Control") == values


def test_what_a_route_sets_itself_does_not_make_it_public_again() -> None:
    edits = {"routes": {"orders": {"response_headers": {"set": {"Cache-Control": "public"}}}}}
    with gateway_and_upstream(**edits) as (gateway, _), Client(gateway.port) as client:
        values = client.ask(request("/orders/1", bearer=token())).values("Cache-Control")
        assert sorted(values) == ["private", "public"]


def test_another_field_may_tell_the_id_of_a_request() -> None:
    named = {"request_id_field": "Trace-Id"}
    with gateway_and_upstream(**named) as (gateway, upstream), Client(gateway.port) as client:
        allowed = client.ask(request("/open/a", "Trace-Id: mine", "X-Request-Id: theirs"))
        assert upstream.one_request().value("Trace-Id") == allowed.value("Trace-Id") == gateway.log()[0]["id"]
        assert upstream.one_request().value("X-Request-Id") == "theirs"
        refused = client.ask(request("/orders/1"))
        assert (refused.value("Trace-Id"), refused.value("X-Request-Id")) == (gateway.log(2)[1]["id"], None)


def test_rel_3_every_answer_may_tell_its_generation_and_does_not_unless_asked_to() -> None:
    with gateway_and_upstream(say(response(b"ok", "X-Generation: 99"))) as (gateway, upstream):
        with Client(gateway.port) as client:
            assert client.ask(request("/open/a")).values("X-Generation") == ["99"]
            gateway.reload(document(upstream.url, generation_field="X-Generation"))
            for path in ("/open/a", "/orders/1", "/nowhere", "/livez"):
                assert client.ask(request(path)).values("X-Generation") == ["2"]
            assert [line["generation"] for line in gateway.log(5)] == [1, 2, 2, 2, 2]
        assert upstream.requests[-1].value("X-Generation") is None
