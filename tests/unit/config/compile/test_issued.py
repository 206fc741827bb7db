"""Tokens of ours as the plan has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from jwtgate.config.expressions import CelExpression
from jwtgate.jose.key import generate_key
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import Encoding, Form, IssuedHeader, Lifetime, Origin, ToldConsumer, Value, Writing
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.sources import ClaimGenerator, KeyText, SigningKeys

Compile = Callable[[dict[str, Any]], Plan]


def route(plan: Plan, name: str = "orders") -> Route:
    return next(route for route in plan.routes if route.name == name)


def test_an_issued_token_is_described_in_full(plan: Compile) -> None:
    entry = {
        "audience": ["x", "y"], "header": "Authorization", "scheme": "Bearer", "type": "at+jwt", "issuer": "https://we",
        "ttl_seconds": 60, "copy": {"a.b": "c"}, "remove": ["d"], "reuse": False, "may_outlive_incoming_token": True,
        "add": {"e": 1, "f": {"claim": "g"}, "h": {"request": "client"}},
        "set": {"i": {"header": "X-Y"}, "j": {"constant": {}}},
    }  # fmt: skip
    (issue,) = route(plan({"routes/orders/issue": entry})).issue
    assert (issue.slot, issue.key, issue.iss, issue.audiences) == ("access", "default", "https://we", ("x", "y"))
    assert (issue.field, issue.prefix, issue.typ, issue.ttl_seconds) == (b"Authorization", "Bearer ", "at+jwt", 60)
    assert issue.copy == ((("a", "b"), "c"),)
    assert not issue.copy_all
    assert issue.add == (
        ("e", Value(Origin.CONSTANT, constant=1)),
        ("f", Value(Origin.CLAIM, slot="access", path=("g",))),
        ("h", Value(Origin.CLIENT)),
    )
    assert issue.set == (("i", Value(Origin.FIELD, field=b"x-y")), ("j", Value(Origin.CONSTANT, constant={})))
    assert issue.remove == {"d"}
    assert issue.may_outlive_incoming_token
    assert not issue.reuse


def test_our_name_is_the_issuer_unless_said_otherwise(plan: Compile) -> None:
    compiled = plan({"routes/orders/issue/copy": "all"})
    assert compiled.iss == route(compiled).issue[0].iss == "https://gate.example"
    assert route(compiled).issue[0].copy_all
    assert route(compiled).issue[0].copy == ()


def test_everything_about_an_issued_token_can_be_said(plan: Compile) -> None:
    entry = {
        "audience": "same_as_incoming",
        "when": "now > 0",
        "x5c": True,
        "x5t": True,
        "x5t_s256": True,
        "kid": False,
        "x5t_of_hex_text_for_legacy_upstream": True,
        "headers": {"a": [1]},
        "encoding_unlike_rfc7515": "base64",
        "lifetime": "incoming",
        "exp_shift_seconds": -5,
        "exp_in_milliseconds_for_legacy_upstream": True,
        "omit_for_legacy_upstream": ["iat", "jti"],
        "claim_prefix": "http://wso2.org/claims/",
        "generator": "mine",
        "generator_told": {"request": True, "consumers": {"user": {"value": {"claim": "sub"}, "prefix": "user:"}}},
        "first_members_for_legacy_reader": ["typ", "iss"],
        "slashes_escaped_for_legacy_reader": True,
        "jti_is_uuid": True,
        "x5t_padded_for_legacy_upstream": True,
        "unsigned_with_alg_for_legacy_upstream": "NONE",
        "add": {"a": {"permissions": True}},
        "set": {"b": {"cel": "now"}},
        "reuse_margin_seconds": 9,
    }
    keys = {"default": {"file": "k.pem", "certificate_file": "c.pem"}}
    (issue,) = route(plan({"routes/orders/issue": entry, "signing/keys": keys})).issue
    assert issue.audiences is None
    assert issue.when == CelExpression("now > 0")
    assert issue.header == IssuedHeader(
        kid=False, extra=(("a", [1]),), x5c=True, x5t=True, x5t_s256=True, x5t_of_hex_text=True, x5t_padded=True
    )
    assert issue.writing == Writing(Encoding.BASE64, ("typ", "iss"), True, True, True, "NONE")
    assert (issue.lifetime, issue.exp_shift_seconds) == (Lifetime.INCOMING, -5)
    assert issue.omitted == {"iat", "jti"}
    assert issue.generator == "mine"
    assert issue.tells_request
    by = (ConsumerName.EXTERNAL_ID, ConsumerName.NAME)
    assert issue.told == (ToldConsumer("user", Value(Origin.CLAIM, slot="access", path=("sub",)), by, "user:"),)
    assert issue.reuse_margin_seconds == 9
    assert issue.add == (("http://wso2.org/claims/a", Value(Origin.PERMISSIONS)),)
    assert issue.set == (("http://wso2.org/claims/b", Value(Origin.EXPRESSION, expression=CelExpression("now"))),)


def test_a_value_comes_from_anywhere(plan: Compile) -> None:
    headers = {
        "X-A": {"consumer": "labels.tier"},
        "X-B": {"permissions": True},
        "X-C": {"path_parameter": "id"},
        "X-D": {"request": "host"},
        "X-E": {"header": "X-F"},
        "X-G": {"cel": "token.access.sub", "form": "json"},
    }
    compiled = route(plan({"routes/orders/path": "/orders/{id}", "routes/orders/headers": headers}))
    assert [field.value for field in compiled.identity] == [
        Value(Origin.CONSUMER, path=("labels", "tier")),
        Value(Origin.PERMISSIONS),
        Value(Origin.PARAMETER, parameter="id"),
        Value(Origin.HOST),
        Value(Origin.FIELD, field=b"x-f"),
        Value(Origin.EXPRESSION, expression=CelExpression("token.access.sub")),
    ]
    assert {field.form for field in compiled.identity[:5]} == {Form.TEXT}
    assert compiled.identity[5].form is Form.JSON


def test_a_profile_is_a_token_from_nobodys_token(plan: Compile) -> None:
    profile = {
        "audience": "a",
        "ttl_seconds": 60,
        "type": "at+jwt",
        "claims": {"role": {"claim": "x"}},
        "headers": {"b": 1},
    }
    compiled = plan({"signing/profiles": {"machine": profile}}).profiles["machine"]
    assert (compiled.slot, compiled.field, compiled.key, compiled.iss) == ("", b"", "default", "https://gate.example")
    assert (compiled.audiences, compiled.ttl_seconds, compiled.typ) == (("a",), 60, "at+jwt")
    assert compiled.set == (("role", Value(Origin.CONSTANT, constant={"claim": "x"})),)
    assert compiled.header == IssuedHeader(extra=(("b", 1),))
    assert not compiled.reuse


def test_our_keys_are_made_or_come_from_elsewhere(plan: Compile) -> None:
    keys = {
        "made": {"alg": "RS256", "rotate_every_seconds": 3600, "published": False},
        "file": {"file": "k.pem", "certificate_file": "c.pem"},
        "url": {"url": "https://a.example", "username": "me", "password": "${env:P}", "refresh_seconds": 60.0},
        "mac": {"alg": "HS256", "secret": "${env:S}", "base64url": True},
        "default": {},
    }
    assert plan({"signing/keys": keys}).signing == {
        "made": SigningKeys("made", "RS256", rotate_seconds=3600, published=False),
        "file": SigningKeys("file", file="/etc/gate/k.pem", certificate_file="/etc/gate/c.pem"),
        "url": SigningKeys("url", url="https://a.example", username="me", password="${env:P}", refresh_seconds=60.0),
        "mac": SigningKeys(
            "mac", "HS256", secret=KeyText(text="${env:S}", alg="HS256", base64url=True), published=False
        ),
        "default": SigningKeys("default"),
    }


def test_what_a_legacy_upstream_wants_can_be_said(plan: Compile) -> None:
    entry = {
        "audience": "same_as_incoming",
        "copy": "all",
        "also_copy": {"iss": "original_iss"},
        "copy_registered_for_legacy_upstream": True,
        "lifetime": "incoming",
        "no_exp_when_incoming_has_none_for_legacy_upstream": True,
    }
    (issue,) = route(plan({"routes/orders/issue": entry})).issue
    assert (issue.copy_all, issue.copy) == (True, ((("iss",), "original_iss"),))
    assert (issue.copy_registered, issue.exp_optional, issue.audiences) == (True, True, None)
    (usual,) = route(plan({})).issue
    assert (usual.copy_registered, usual.exp_optional) == (False, False)


def test_keys_in_the_document_are_a_text_for_the_state_and_secrets_are_never_published(plan: Compile) -> None:
    pair, secret = generate_key("ES256").to_private_jwk(), generate_key("HS256").to_private_jwk()
    compiled = plan(
        {
            "signing/keys": {"es": {"jwks": [pair]}, "hs": {"alg": "HS256", "jwks": secret}},
            "routes/orders/issue/key": "es",
        }
    )
    es, hs = compiled.signing["es"], compiled.signing["hs"]
    assert es.jwks is not None
    assert hs.jwks is not None
    assert (json.loads(es.jwks.text or ""), es.published) == ({"keys": [pair]}, True)
    assert (json.loads(hs.jwks.text or ""), hs.published) == (secret, False)
    assert str(pair["d"]) not in repr(es)


def test_plug_ins_have_names_and_are_given_something(plan: Compile) -> None:
    named = {"mine": {"plug_in": "acme", "given": {"a": [1]}}, "bare": {"plug_in": "acme"}}
    assert plan({"signing/generators": named}).generators == {
        "mine": ClaimGenerator("mine", "acme", {"a": [1]}),
        "bare": ClaimGenerator("bare", "acme"),
    }
    assert plan({}).generators == {}


def test_a_key_may_be_told_to_sign_anything_with_a_secret_anybody_guesses(plan: Compile) -> None:
    flags = ("signs_any_claims", "short_secret_allowed", "guessable_secret_allowed")
    weak = {"alg": "HS256", "secret": "asdf", **{f"{flag}_for_legacy_readers": True for flag in flags}}
    usual = {"alg": "HS256", "secret": "${env:S}"}
    keys = {"default": {}, "weak": weak, "usual": usual, "pem": {"pem": "${env:P}"}}
    signing = plan({"signing/keys": keys}).signing
    assert [signing[name].signs_any_claims for name in keys] == [False, True, False, False]
    assert signing["weak"].secret == KeyText(
        text="asdf",
        alg="HS256",
        short_secret_allowed_for_legacy_credential=True,
        guessable_secret_allowed_for_legacy_credential=True,
    )
    assert signing["usual"].secret == KeyText(text="${env:S}", alg="HS256")
    assert signing["pem"].pem == KeyText(text="${env:P}")
