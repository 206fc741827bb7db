"""Consumers and their credentials as they are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jwtgate.config.sections.callers.consumers import derived_id
from jwtgate.policy.callers import Consumer, api_key_name
from jwtgate.policy.plan import Plan
from jwtgate.policy.sources import ConsumerSource, CredentialSource, KeysAddress, KeyText

Compile = Callable[[dict[str, Any]], Plan]

SECRET = "Zm9vYmFyYmF6cXV4-quite-random-1234567890-abc"


def only(plan: Plan) -> ConsumerSource:
    (source,) = plan.sources.consumers
    return source


def test_a_consumer_is_kept_with_all_that_is_known_of_it(plan: Compile) -> None:
    record = {"id": "1", "external_id": "42", "groups": ["a"], "labels": {"tier": "gold"}, "attributes": {"x": [1]}}
    source = only(plan({"consumers": {"alice": record}, "consumer_files": ["more.jsonl"]}))
    assert source.consumer == Consumer("alice", "1", "42", ("a",), {"tier": "gold"}, {"x": [1]})
    assert source.credentials == ()
    assert plan({"consumer_files": ["more.jsonl"]}).sources.consumer_files == ("/etc/gate/more.jsonl",)


def test_ids_follow_from_names_unless_given(plan: Compile) -> None:
    source = only(plan({"consumers": {"alice": {"credentials": {"k": {"alg": "HS256", "secret": "${env:S}"}}}}}))
    assert source.consumer.id == derived_id("alice")
    assert source.credentials[0].id == derived_id("alice", "k")


def test_a_credential_is_kept_as_text(plan: Compile) -> None:
    section = {
        "id": "c1",
        "alg": "RS256",
        "public_key": "-----BEGIN PUBLIC KEY-----",
        "private_key": "${env:K}",
        "leeway_seconds": 5,
        "ttl_seconds": 60,
        "key_claim": "kid",
        "labels": {"a": "b"},
    }
    (credential,) = only(plan({"consumers": {"alice": {"credentials": {"k": section}}}})).credentials
    assert credential == CredentialSource(
        name="k",
        id="c1",
        consumer="alice",
        alg="RS256",
        key=KeyText(text="-----BEGIN PUBLIC KEY-----"),
        private_key=KeyText(text="${env:K}"),
        leeway_seconds=5,
        ttl_seconds=60,
        key_claim="kid",
        labels={"a": "b"},
    )


def test_keys_of_every_kind_are_handed_on(plan: Compile) -> None:
    credentials = {
        "a": {"alg": "HS256", "secret": SECRET},
        "b": {"alg": "HS256", "secret": "c2hvcnQgYnV0IG5vdCB0b28gc2hvcnQgaW5kZWVkIQ/+", "base64": True},
        "c": {"alg": "HS512", "secret": "${env:S}", "base64": True, "short_secret_allowed_for_legacy_credential": True},
        "d": {"alg": "ES256", "file": "k.json"},
        "e": {"alg": "ES256", "jwks": [{"kty": "EC"}]},
    }
    found = only(plan({"consumers": {"alice": {"credentials": credentials}}})).credentials
    assert [credential.key for credential in found] == [
        KeyText(text=SECRET, alg="HS256"),
        KeyText(text="c2hvcnQgYnV0IG5vdCB0b28gc2hvcnQgaW5kZWVkIQ_-", alg="HS256", base64url=True),
        KeyText(text="${env:S}", alg="HS512", base64url=True, short_secret_allowed_for_legacy_credential=True),
        KeyText(file="/etc/gate/k.json"),
        KeyText(text='{"keys": [{"kty": "EC"}]}'),
    ]
    assert SECRET not in repr(found)


def test_the_address_of_published_keys_is_handed_on(plan: Compile) -> None:
    login = {"username": "me", "password": "${env:P}", "client_certificate": "me.pem", "client_key": "/keys/me"}
    more = {"refresh_seconds": 60, "ca_file": "ca.pem", "insecure_http": True}
    credentials = {
        "a": {"alg": "ES256", "keys": {"url": "https://ann.example/jwks"}},
        "b": {"alg": "RS256", "keys": {"url": "http://ann.example/jwks", **login, **more}},
    }
    first, second = only(plan({"consumers": {"alice": {"credentials": credentials}}})).credentials
    assert (first.key, first.address) == (None, KeysAddress("https://ann.example/jwks"))
    assert (second.key, second.address) == (
        None,
        KeysAddress(
            "http://ann.example/jwks",
            "me",
            "${env:P}",
            client_certificate_file="/etc/gate/me.pem",
            client_key_file="/keys/me",
            refresh_seconds=60,
            ca_file="/etc/gate/ca.pem",
            insecure_http=True,
        ),
    )


def test_what_a_credential_is_found_by_is_known_unless_a_reference_leads_to_it(plan: Compile) -> None:
    key = {"alg": "HS256", "secret": SECRET}
    credentials = {
        "plain": key,
        "named": {**key, "named": "k1", "may_wait_for_its_secrets": True},
        "elsewhere": {**key, "named": "${vault:jack#key}"},
        "api": {"api_key": "a key of its own"},
        "api-elsewhere": {"api_key": "${env:KEY}"},
    }
    found = only(plan({"consumers": {"alice": {"credentials": credentials}}})).credentials
    assert [(each.named, each.refers, each.is_api_key, each.may_wait) for each in found] == [
        (None, None, False, False),
        ("k1", None, False, True),
        (None, "${vault:jack#key}", False, False),
        (api_key_name("a key of its own"), None, True, False),
        (None, "${env:KEY}", True, False),
    ]
    assert [each.alg for each in found] == ["HS256", "HS256", "HS256", "", ""]
    assert "a key of its own" not in repr(found)


def test_annotations_are_left_behind(plan: Compile) -> None:
    assert "hunter2" not in repr(plan({"consumers": {"alice": {"annotations": {"a": "hunter2"}}}}))


def test_sec_22_a_guessable_secret_is_kept_as_such(plan: Compile) -> None:
    legacy = {
        "alg": "HS256",
        "secret": "token",
        "short_secret_allowed_for_legacy_credential": True,
        "guessable_secret_allowed_for_legacy_credential": True,
    }
    (credential,) = only(plan({"consumers": {"alice": {"credentials": {"k": legacy}}}})).credentials
    assert credential.key == KeyText(
        text="token",
        alg="HS256",
        short_secret_allowed_for_legacy_credential=True,
        guessable_secret_allowed_for_legacy_credential=True,
    )
