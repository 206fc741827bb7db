"""What newer pages of the plug-in show, X1 to X10, each with what must not happen beside it."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from tests.dialects.apisix.apisix_process import Answer, ApisixProcess
from tests.dialects.apisix.tokens import SECRET, pair, soon, tampered, token

FIXED = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJrZXkiOiJqYWNrLWtleSIsIm5iZiI6MTcyOTEzMjI3MX0."
    "UEPXy5jpid624T1XpfjM0PLY73LZPjV3Qt8yZ92kVuU"
)
IDENTITY = {"X-Consumer-Username", "X-Credential-Identifier", "X-Consumer-Custom-Id"}


def credential(apisix: ApisixProcess, name: str = "cred-jack-jwt-auth", **jwt_auth: Any) -> None:
    apisix.put(f"/consumers/jack/credentials/{name}", {"id": name, "plugins": {"jwt-auth": jwt_auth}})


def jack(apisix: ApisixProcess, **members: Any) -> None:
    """Jack with the credential of the examples, and the route."""
    apisix.put("/consumers", {"username": "jack", **members})
    credential(apisix, key="jack-key", secret=SECRET)
    apisix.route()


def refused(answer: Answer, message: str) -> bool:
    return (answer.status, answer.value) == (401, {"message": message})


def test_x1_a_credential_is_known_and_named(apisix: ApisixProcess) -> None:
    jack(apisix)
    seen = apisix.get(token=f"Bearer {FIXED}").seen
    assert (seen["X-Consumer-Username"], seen["X-Credential-Identifier"]) == ("jack", "cred-jack-jwt-auth")


def test_x1_a_consumers_own_key_names_no_credential(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret=SECRET)
    apisix.route()
    assert apisix.get(token=FIXED).seen.keys() & IDENTITY == {"X-Consumer-Username"}


def test_x1_a_deleted_credential_is_known_no_more(apisix: ApisixProcess) -> None:
    jack(apisix)
    assert apisix.get(token=FIXED).status == 200
    apisix.admin("DELETE", "/consumers/jack/credentials/cred-jack-jwt-auth")
    assert refused(apisix.get(token=FIXED), "Invalid user key in JWT token")


def test_x2_a_changed_signature_is_refused(apisix: ApisixProcess) -> None:
    jack(apisix)
    assert refused(apisix.get(token=FIXED[:-1] + "Y"), "failed to verify jwt")
    assert refused(apisix.get(token=tampered(FIXED)), "failed to verify jwt")


def test_x3_a_public_key_is_enough_and_no_secret(apisix: ApisixProcess) -> None:
    private, public = pair("RS256")
    jack(apisix)
    credential(apisix, key="jack-rsa-key", public_key=public, algorithm="RS256")
    assert apisix.get(token=token(private, "RS256", key="jack-rsa-key")).status == 200
    assert refused(apisix.get(token=_keyed_with_text(public)), "failed to verify jwt")
    assert refused(apisix.get(token=token(pair("RS256")[0], "RS256", key="jack-rsa-key")), "failed to verify jwt")


def _keyed_with_text(pem: str) -> str:
    """A token whose MAC is made with the text of a public key, which everybody knows."""
    parts = [urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"HS256"}', b'{"key":"jack-rsa-key"}')]
    signed = b".".join(parts)
    mac = hmac.digest(pem.encode(), signed, hashlib.sha256)
    return (signed + b"." + urlsafe_b64encode(mac).rstrip(b"=")).decode()


def test_x4_a_label_of_the_consumer_is_sent_and_none_of_the_credential(apisix: ApisixProcess) -> None:
    jack(apisix, labels={"custom_id": "495aec6a"})
    assert apisix.get(token=FIXED).seen["X-Consumer-Custom-Id"] == "495aec6a"
    jack(apisix)
    conf = {"key": "jack-key", "secret": SECRET}
    labelled = {"labels": {"custom_id": "other"}, "plugins": {"jwt-auth": conf}}
    apisix.put("/consumers/jack/credentials/cred-jack-jwt-auth", labelled)
    assert "X-Consumer-Custom-Id" not in apisix.get(token=FIXED).seen


def limit(count: int) -> dict[str, Any]:
    return {"limit-count": {"count": count, "time_window": 30, "rejected_code": 429, "policy": "local"}}


def test_x5_each_consumer_has_its_own_limit_also_the_anonymous_one(apisix: ApisixProcess) -> None:
    jack(apisix, plugins=limit(3))
    apisix.put("/consumers", {"username": "anonymous", "plugins": limit(1)})
    apisix.route(anonymous_consumer="anonymous")
    known = [apisix.get(token=FIXED) for _ in range(5)]
    unknown = [apisix.get() for _ in range(5)]
    assert [answer.status for answer in known] == [200, 200, 200, 429, 429]
    assert [answer.status for answer in unknown] == [200, 429, 429, 429, 429]
    assert [answer.field("x-ratelimit-remaining") for answer in known] == ["2", "1", "0", "0", "0"]
    assert known[0].field("x-ratelimit-limit") == "3"


def test_x5_who_fails_is_the_anonymous_consumer(apisix: ApisixProcess) -> None:
    jack(apisix)
    apisix.put("/consumers", {"username": "anonymous"})
    apisix.route(anonymous_consumer="anonymous")
    for bad in (None, "nonsense", tampered(FIXED), token(key="nobody")):
        assert apisix.get(token=bad).seen["X-Consumer-Username"] == "anonymous"
    assert apisix.get(token=FIXED).seen["X-Consumer-Username"] == "jack"


def test_x5_an_anonymous_consumer_that_is_not_there_is_nobody(apisix: ApisixProcess) -> None:
    jack(apisix)
    apisix.route(anonymous_consumer="nobody")
    assert refused(apisix.get(), "Invalid user authorization")
    assert apisix.get(token=FIXED).status == 200


def test_x6_a_hidden_field_is_not_sent_on(apisix: ApisixProcess) -> None:
    jack(apisix)
    apisix.route(hide_credentials=True)
    assert "Authorization" not in apisix.get(token=f"Bearer {FIXED}").seen
    apisix.route(hide_credentials=False)
    assert apisix.get(token=f"Bearer {FIXED}").seen["Authorization"] == f"Bearer {FIXED}"


def test_x6_a_hidden_argument_takes_no_other_along(apisix: ApisixProcess) -> None:
    jack(apisix)
    apisix.route(hide_credentials=True)
    answer = apisix.get(f"/get?a=1&jwt={FIXED}&b=x%20y&a=2")
    assert answer.value["url"].partition("?")[2] == "a=1&b=x%20y&a=2"
    apisix.route()
    assert apisix.get(f"/get?jwt={FIXED}").value["args"] == {"jwt": FIXED}


def test_x6_a_hidden_cookie_takes_no_other_along(apisix: ApisixProcess) -> None:
    jack(apisix)
    apisix.route(hide_credentials=True)
    assert apisix.get("/get", f"Cookie: a=1; jwt={FIXED}; b=x%/=y").seen["Cookie"] == "a=1; b=x%/=y"
    assert "Cookie" not in apisix.get("/get", f"Cookie: jwt={FIXED}").seen


def test_x6_what_is_hidden_is_hidden_of_who_failed_too(apisix: ApisixProcess) -> None:
    jack(apisix)
    apisix.put("/consumers", {"username": "anonymous"})
    apisix.route(hide_credentials=True, anonymous_consumer="anonymous")
    assert "Authorization" not in apisix.get(token=tampered(FIXED)).seen


def test_x7_another_claim_may_name_the_key(apisix: ApisixProcess) -> None:
    jack(apisix)
    apisix.route(key_claim_name="iss")
    assert apisix.get(token=token(key=None, iss="jack-key")).seen["X-Consumer-Username"] == "jack"
    assert refused(apisix.get(token=FIXED), "missing user key in JWT token")


def test_x8_a_claim_that_is_to_be_verified_has_to_be_there(apisix: ApisixProcess) -> None:
    jack(apisix)
    apisix.route(claims_to_verify=["exp"])
    assert refused(apisix.get(token=FIXED), "failed to verify jwt")
    assert apisix.get(token=token(exp=soon())).status == 200
    assert refused(apisix.get(token=token(exp=soon(-60))), "failed to verify jwt")


@pytest.mark.parametrize("bad", [None, "nonsense", FIXED[:-3], token(key=None), token(key="nobody"), tampered(FIXED)])
def test_x9_the_realm_is_told_with_every_refusal(apisix: ApisixProcess, bad: str | None) -> None:
    jack(apisix)
    apisix.route(realm="test-realm")
    answer = apisix.get(token=bad)
    assert (answer.status, answer.field("www-authenticate")) == (401, 'Bearer realm="test-realm"')


def test_x10_nobody_says_himself_who_he_is(apisix: ApisixProcess) -> None:
    jack(apisix)
    lies = ("X-Consumer-Username: admin", "X-Credential-Identifier: root", "X-Consumer-Custom-Id: 1")
    seen = apisix.get("/get", *lies, token=FIXED).seen
    assert {name: seen[name] for name in seen.keys() & IDENTITY} == {
        "X-Consumer-Username": "jack",
        "X-Credential-Identifier": "cred-jack-jwt-auth",
    }
