"""Consumers and their credentials as consumers of ours."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import loaded

from jwtgate.dialects.apisix.callers import MOST_SECONDS, caller_of, keys_of
from jwtgate.dialects.dialect import Caller, Meaning, Objects

SECRET = "a-secret-that-is-long-enough-for-hs256"


def caller(plugins: dict[str, Any], objects: Objects | None = None, **more: Any) -> Caller:
    return caller_of({"username": "jack", "plugins": plugins, **more}, {}, objects or {})


def own(conf: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = caller({"jwt-auth": {"key": "k", **conf}}).value["credentials"]["jwt-auth"]
    return found


def test_a_consumer_is_named_by_its_key_and_signs_with_its_secret() -> None:
    assert own({"secret": SECRET}) == {
        "named": "k",
        "alg": "HS256",
        "ttl_seconds": 86400,
        "leeway_seconds": 0,
        "secret": SECRET,
    }


@pytest.mark.parametrize(
    ("conf", "lenient"),
    [
        ({"secret": "tR4!x"}, {"short"}),
        ({"secret": SECRET, "algorithm": "HS512"}, {"short"}),
        ({"secret": "c2VjcmV0cw==", "base64_secret": True}, {"short"}),
        ({"secret": "secret"}, {"short", "guessable"}),
        ({"secret": "$ENV://SECRET"}, {"short", "guessable"}),
        ({}, set()),
    ],
)
def test_no_more_is_allowed_than_the_secret_needs(conf: dict[str, Any], lenient: set[str]) -> None:
    found = own(conf)
    assert {name.partition("_")[0] for name in found if name.endswith("_for_legacy_credential")} == lenient


def test_a_secret_in_base64_is_decoded() -> None:
    assert own({"secret": "c2VjcmV0", "base64_secret": True})["base64"] is True


def test_times_are_taken_over() -> None:
    found = own({"secret": SECRET, "exp": 30, "lifetime_grace_period": 10})
    assert (found["ttl_seconds"], found["leeway_seconds"]) == (30, 10)
    assert "long_leeway_allowed_for_legacy_tokens" not in found


def test_a_long_grace_period_is_a_danger_and_has_an_end() -> None:
    conf = {"key": "k", "secret": SECRET, "lifetime_grace_period": 301}
    assert own(conf)["long_leeway_allowed_for_legacy_tokens"] is True
    assert [note.place for note in caller({"jwt-auth": conf}).notes if note.dangerous] == [
        "consumers/jack/plugins/jwt-auth/lifetime_grace_period"
    ]
    ends = own({"secret": SECRET, "lifetime_grace_period": 10**12, "exp": 10**12})
    assert (ends["leeway_seconds"], ends["ttl_seconds"]) == (MOST_SECONDS, MOST_SECONDS)


def test_a_signature_is_verified_with_a_public_key_or_the_keys_at_an_address() -> None:
    found = own({"algorithm": "RS256", "public_key": "pem", "private_key": "private"})
    assert (found["alg"], found["public_key"], found["private_key"]) == ("RS256", "pem", "private")
    assert "secret" not in found
    fetched = {"algorithm": "RS256", "jwks_uri": "https://a/keys"}
    for conf in (fetched, {**fetched, "public_key": "pem"}):
        assert (own(conf)["keys"], "public_key" in own(conf)) == ({"url": "https://a/keys"}, False)
    both = caller({"jwt-auth": {"key": "k", **fetched, "public_key": "pem"}})
    changed = [note.place for note in both.notes if note.meaning is Meaning.CHANGED]
    assert changed == ["consumers/jack/plugins/jwt-auth/public_key"]


def test_what_a_reference_leads_to_may_be_waited_for() -> None:
    found = own({"key": "$ENV://KEY", "secret": SECRET})
    assert (found["named"], found["may_wait_for_its_secrets"]) == ("${env:KEY}", True)
    assert "may_wait_for_its_secrets" not in own({"secret": "a ${b} that is text"})


def test_a_secret_is_made_where_there_is_none_and_that_is_noted() -> None:
    found = caller({"jwt-auth": {"key": "k"}})
    assert len(found.value["credentials"]["jwt-auth"]["secret"]) == 44
    note = next(note for note in found.notes if note.place.endswith("/secret"))
    assert note.meaning is Meaning.CHANGED


@pytest.mark.parametrize(("secret", "danger"), [("short", True), (SECRET, False), ("$ENV://S", False)])
def test_a_short_secret_is_a_danger(secret: str, danger: bool) -> None:
    notes = caller({"jwt-auth": {"key": "k", "secret": secret}}).notes
    assert any(note.dangerous for note in notes) is danger


def test_keys_that_mean_nothing_are_noted() -> None:
    hs = caller({"jwt-auth": {"key": "k", "secret": SECRET, "public_key": "p", "private_key": ""}})
    rs = caller({"jwt-auth": {"key": "k", "secret": SECRET, "algorithm": "RS256", "public_key": "p"}})
    assert [note.place.rpartition("/")[2] for note in hs.notes if note.meaning is Meaning.CHANGED] == ["public_key"]
    assert [note.place.rpartition("/")[2] for note in rs.notes if note.meaning is Meaning.CHANGED] == ["secret"]


def test_credentials_carry_their_ids_and_the_consumer_its_labels_and_group() -> None:
    plugins = {"jwt-auth": {"key": "k", "secret": SECRET}}
    credentials = {
        "c1": {"plugins": plugins, "labels": {"custom_id": "no"}},
        "c2": {"plugins": {"key-auth": {"key": "x"}}},
    }
    found = caller_of({"username": "jack", "labels": {"custom_id": "1"}, "group_id": 7}, credentials, {})
    assert (found.name, found.value["labels"], found.value["groups"]) == ("jack", {"custom_id": "1"}, ["7"])
    held = found.value["credentials"]
    assert held["jwt-auth/c1"]["labels"] == {"identifier": "c1"}
    assert held["key-auth/c2"] == {"api_key": "x", "labels": {"identifier": "c2"}}
    assert "credentials/jack/c2/plugins/key-auth/key" in [note.place for note in found.notes]


def test_limits_of_a_consumer_stand_over_those_of_its_group() -> None:
    group = {"consumer_groups": {"g": {"plugins": {"limit-count": {"count": 9, "time_window": 9}}}}}
    limit = {"limit-count": {"count": 3, "time_window": 30, "rejected_code": 429}}
    found = caller(limit, group, group_id="g").value["rate_limit"]
    assert (found["requests"], found["window_seconds"], found["by"], found["status"]) == (3, 30, "caller", 429)
    assert caller({}, group, group_id="g").value["rate_limit"]["requests"] == 9
    assert "rate_limit" not in caller({"limit-count": {**limit["limit-count"], "_meta": {"disable": True}}}).value


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [("proxy-rewrite", "means nothing on a consumer here"), ("x", "unknown plugin [x]")],
)
def test_other_plugins_of_a_consumer_are_refused_by_name(plugin: str, sentence: str) -> None:
    (note,) = (note for note in caller({plugin: {}}).notes if note.meaning is Meaning.REFUSED)
    assert (note.place, note.sentence) == (f"consumers/jack/plugins/{plugin}", sentence)


def test_keys_are_told_with_whether_they_only_refer_to_one() -> None:
    plugins = {"jwt-auth": {"key": "a"}, "key-auth": {"key": "$ENV://B"}, "limit-count": {"key": "c"}}
    assert keys_of(plugins) == (("jwt-auth", "a", False), ("key-auth", "$ENV://B", True))
    assert keys_of({"jwt-auth": {}}) == ()


def test_the_gateway_takes_the_consumers() -> None:
    limit = {"count": 1, "time_window": 1, "rejected_msg": "no", "rejected_code": 429}
    conf = {"key": "k", "secret": "short", "lifetime_grace_period": 900, "exp": 1}
    consumer = {"username": "jack", "plugins": {"jwt-auth": conf, "key-auth": {"key": "x"}, "limit-count": limit}}
    waiting = {"key": "$ENV://K", "secret": "$secret://vault/1/a/b", "algorithm": "HS512"}
    fetched = {"key": "f", "algorithm": "RS256", "jwks_uri": "https://a.example/keys"}
    document = loaded(
        {
            "consumers": {"jack": consumer, "rose": {"username": "rose"}},
            "credentials": {
                "jack/a": {"plugins": {"jwt-auth": waiting}},
                "jack/b": {"plugins": {"jwt-auth": fetched}},
                "rose/a": {"plugins": {"key-auth": {"key": "y"}}},
            },
        }
    )
    assert set(document.consumers["jack"].credentials) == {"jwt-auth", "key-auth", "jwt-auth/a", "jwt-auth/b"}
