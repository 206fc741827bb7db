"""Consumers' own tokens and the plug-in `jwt`: scenario E16."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from tests.dialects.kong.kong_process import Answer, KongProcess, curl
from tests.dialects.kong.neighbours import FUTURE, PAST, Neighbours, from_now
from tests.dialects.kong.seen import values

UNAUTHORIZED = {"message": "Unauthorized"}
SECRET = "a-secret-of-jack-that-is-long-enough-for-all-three-of-the-algorithms"
RSA_KEY, ED_KEY = rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()
EC_KEYS = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
}


def _pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    text: bytes = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    return text.decode()


def _own(key: Any = SECRET, alg: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any) -> str:
    told = {"iss": "jacks-key", **claims}
    return jwt.encode({name: each for name, each in told.items() if each is not None}, key, alg, headers)


@pytest.fixture
def jack(kong: KongProcess, neighbours: Neighbours) -> KongProcess:
    """The gateway with the consumer `jack`, whose key is `jacks-key`."""
    kong.post("/consumers", "username=jack", "custom_id=c-1")
    made = kong.post("/consumers/jack/jwt", "key=jacks-key", f"secret={SECRET}")
    assert made.status == 201, made
    return kong


def _asking(kong: KongProcess, *pairs: str) -> dict[str, Any]:
    answer = kong.post("/services/demo/plugins", "name=jwt", *pairs)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.value
    return made


def _refused(answer: Answer) -> Any:
    assert answer.status == 401, answer
    assert (answer.field("www-authenticate") or "").startswith("Bearer")
    return answer.value


def test_e16_from_nothing_to_a_consumer_s_token(kong: KongProcess, neighbours: Neighbours) -> None:
    assert kong.post("/services", "name=second", f"url={neighbours.url}").status == 201
    assert kong.post("/services/second/routes", "paths[]=/x").status == 201
    assert kong.post("/services/second/plugins", "name=jwt").status == 201
    assert kong.post("/consumers", "username=jill").status == 201
    credential = curl("--request", "POST", "--url", f"{kong.admin}/consumers/jill/jwt", "--header", FORM, "--data", "")
    assert credential.status == 201
    made = credential.value
    assert len(made["key"]) == len(made["secret"]) == 32
    good = _own(made["secret"], iss=made["key"])
    _e16_holds(kong, good)


FORM = "Content-Type: application/x-www-form-urlencoded"
KONG_YML = """
_format_version: "3.0"
services:
- name: second
  url: {url}
  routes:
  - name: x
    paths: [/x]
  plugins:
  - name: jwt
consumers:
- username: jill
  jwt_secrets:
  - key: jills-key
    secret: {secret}
"""


def _e16_holds(kong: KongProcess, good: str) -> None:
    answer = kong.get("/x/y", bearer=good)
    assert values(answer, "x-consumer-username") == ["jill"]
    assert answer.value["path"] == "/y"
    assert values(answer, "authorization") == [f"Bearer {good}"]
    assert kong.get(f"/x?jwt={good}").status == 200
    assert _refused(kong.get("/x")) == UNAUTHORIZED
    assert kong.get("/x", bearer=good[:-4] + "AAAA").value == {"message": "Invalid signature"}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[KongProcess]:
    """A gateway nobody has told anything."""
    with KongProcess(tmp_path) as kong:
        yield kong


def test_e16_the_same_as_a_whole_configuration(empty: KongProcess, neighbours: Neighbours, tmp_path: Path) -> None:
    text = KONG_YML.format(url=neighbours.url, secret=SECRET)
    path = tmp_path / "kong.yml"
    path.write_text(text)
    good = _own(iss="jills-key")
    answer = curl("--request", "POST", "--url", f"{empty.admin}/config", "--form", f"config=<{path}")
    assert answer.status == 201, answer
    _e16_holds(empty, good)
    assert empty.send("POST", "/config?check_hash=1", {"config": text}).status == 304
    assert empty.send("POST", "/config", {"config": text}).status == 201
    assert '"second"' in empty.send("GET", "/config").value["config"]
    refused = empty.post("/routes", "paths[]=/y")
    assert (refused.status, refused.value["code"]) == (405, 12)
    assert empty.send("POST", "/config", {"config": "services: []"}).value["code"] == 14
    _e16_holds(empty, good)


def test_a_file_is_served_as_it_stands(neighbours: Neighbours, tmp_path: Path) -> None:
    path = tmp_path / "kong.yml"
    path.write_text(KONG_YML.format(url=neighbours.url, secret=SECRET))
    with KongProcess(tmp_path, path) as kong:
        _e16_holds(kong, _own(iss="jills-key"))
        assert kong.send("GET", "/consumers/jill/jwt/jills-key").value["key"] == "jills-key"
        assert kong.post("/consumers", "username=new").status == 405


def test_tokens_may_stand_in_query_cookie_and_header(jack: KongProcess) -> None:
    headers = ("config.header_names[]=authorization", "config.header_names[]=x-token")
    _asking(jack, "config.cookie_names[]=session", *headers)
    good = _own()
    for answer in (
        jack.get(bearer=good),
        jack.get("/demo", f"Authorization: bearer   {good}"),
        jack.get(f"/demo?jwt={good}"),
        jack.get("/demo", f"Cookie: a=b; session={good}"),
        jack.get("/demo", f"X-Token: Bearer {good}"),
        jack.get(f"/demo?jwt={good}", bearer=good),
    ):
        assert values(answer, "x-consumer-username") == ["jack"]
        assert values(answer, "x-consumer-custom-id") == ["c-1"]
        assert values(answer, "x-credential-identifier") == ["jacks-key"]
        assert values(answer, "x-anonymous-consumer") == []
    assert _refused(jack.get(f"/demo?other={good}")) == UNAUTHORIZED
    assert _refused(jack.get("/demo", f"Cookie: other={good}")) == UNAUTHORIZED


def test_two_different_tokens_are_refused(jack: KongProcess) -> None:
    _asking(jack)
    answer = jack.get(f"/demo?jwt={_own(a=1)}", bearer=_own(a=2))
    assert _refused(answer) == {"message": "Multiple tokens provided"}


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("no-jwt", "Bad token; invalid JSON"),
        ("a.b.c", "Bad token; invalid JSON"),
        (_own(iss=None), "No mandatory 'iss' in claims"),
        (_own(iss=""), "Invalid 'iss' in claims"),
        (_own(iss="nobody"), "No credentials found for given 'iss'"),
        (_own(alg="HS384"), "Invalid algorithm"),
        (_own("another-secret-that-is-just-as-long-as-it-must-be"), "Invalid signature"),
        (_own() + "x", "Invalid signature"),
    ],
)
def test_what_is_wrong_is_said(jack: KongProcess, token: str, message: str) -> None:
    _asking(jack)
    answer = jack.get(bearer=token)
    assert _refused(answer) == {"message": message}
    assert answer.field("www-authenticate") == 'Bearer error="invalid_token"'


def test_a_challenge_names_the_realm(jack: KongProcess) -> None:
    plugin = _asking(jack)
    assert jack.get().field("www-authenticate") == "Bearer"
    jack.send("PATCH", f"/plugins/{plugin['id']}", {"config": {"realm": "R"}})
    assert jack.get().field("www-authenticate") == 'Bearer realm="R"'
    assert jack.get(bearer="x").field("www-authenticate") == 'Bearer realm="R", error="invalid_token"'


@pytest.mark.parametrize(
    ("pairs", "claims", "body"),
    [
        ((), {"exp": PAST}, None),
        (("config.claims_to_verify=exp",), {"exp": 60}, None),
        (("config.claims_to_verify=exp",), {"exp": PAST}, {"exp": "token expired"}),
        (("config.claims_to_verify=exp",), {}, {"exp": "must be a number"}),
        (("config.claims_to_verify=nbf",), {"nbf": FUTURE}, {"nbf": "token not valid yet"}),
        (("config.claims_to_verify=nbf",), {"nbf": PAST}, None),
        (
            ("config.claims_to_verify[]=exp", "config.claims_to_verify[]=nbf"),
            {"exp": PAST, "nbf": FUTURE},
            {"exp": "token expired", "nbf": "token not valid yet"},
        ),
        (
            ("config.claims_to_verify=exp", "config.maximum_expiration=100"),
            {"exp": 5000},
            {"exp": "exceeds maximum allowed expiration"},
        ),
        (("config.claims_to_verify=exp", "config.maximum_expiration=500"), {"exp": 100}, None),
    ],
)
def test_times_are_checked_where_that_is_asked_for(
    jack: KongProcess, pairs: tuple[str, ...], claims: dict[str, int], body: object
) -> None:
    _asking(jack, *pairs)
    answer = jack.get(bearer=_own(**from_now(claims)))
    if body is None:
        assert answer.status == 200, answer
        return
    assert _refused(answer) == body


@pytest.mark.parametrize(
    ("pairs", "part"),
    [
        (("config.maximum_expiration=10",), "expected to contain: exp"),
        (("config.maximum_expiration=-1",), "value should be between 0 and 31536000"),
        (("config.claims_to_verify=iat",), "expected one of: exp, nbf"),
    ],
)
def test_settings_that_cannot_be_are_refused(kong: KongProcess, pairs: tuple[str, ...], part: str) -> None:
    answer = kong.post("/plugins", "name=jwt", *pairs)
    assert (answer.status, answer.value["code"]) == (400, 2)
    assert part in answer.value["message"]


def test_the_key_may_be_named_by_another_claim_or_by_the_header(jack: KongProcess) -> None:
    _asking(jack, "config.key_claim_name=kid")
    assert jack.get(bearer=_own(iss=None, kid="jacks-key")).status == 200
    assert jack.get(bearer=_own(iss=None, headers={"kid": "jacks-key"})).status == 200
    assert _refused(jack.get(bearer=_own())) == {"message": "No mandatory 'kid' in claims"}


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        *((alg, SECRET) for alg in ("HS256", "HS384", "HS512")),
        *((alg, RSA_KEY) for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        *EC_KEYS.items(),
        ("EdDSA", ED_KEY),
    ],
)
def test_each_of_thirteen_algorithms_is_spoken(kong: KongProcess, neighbours: Neighbours, alg: str, key: Any) -> None:
    kong.post("/consumers", "username=jill")
    value = {"key": "jills", "algorithm": alg, **({"secret": key} if key is SECRET else {"rsa_public_key": _pem(key)})}
    made = kong.send("POST", "/consumers/jill/jwt", value)
    assert made.status == 201, made
    _asking(kong)
    assert kong.get(bearer=_own(key, alg, iss="jills")).status == 200
    other = "HS384" if alg != "HS384" else "HS256"
    assert _refused(kong.get(bearer=_own(alg=other, iss="jills"))) == {"message": "Invalid algorithm"}


@pytest.mark.parametrize(
    ("alg", "key"), [("RS256", None), ("PS256", None), ("EdDSA", None), ("RS256", "no key"), ("ES256", "no key")]
)
def test_a_key_must_be_there_and_readable(jack: KongProcess, alg: str, key: str | None) -> None:
    answer = jack.send("POST", "/consumers/jack/jwt", {"algorithm": alg, "rsa_public_key": key})
    assert (answer.status, answer.value["code"]) == (400, 2)
    assert "rsa_public_key" in answer.value["fields"]


def test_secrets_may_be_written_in_base64(jack: KongProcess) -> None:
    raw = b"\x00\x01-a-secret-of-bytes-that-is-long-enough"
    value = {"key": "bytes", "secret": b64encode(raw).decode()}
    assert jack.send("POST", "/consumers/jack/jwt", value).status == 201
    plugin = _asking(jack, "config.secret_is_base64=true")
    assert jack.get(bearer=_own(raw, iss="bytes")).status == 200
    jack.send("PATCH", f"/plugins/{plugin['id']}", {"config": {"secret_is_base64": False}})
    assert jack.get(bearer=_own(raw, iss="bytes")).status == 401
    assert jack.get(bearer=_own(value["secret"], iss="bytes")).status == 200


def test_a_preflight_may_pass(jack: KongProcess) -> None:
    plugin = _asking(jack)
    assert curl("--request", "OPTIONS", "--url", f"{jack.proxy}/demo").status == 401
    jack.send("PATCH", f"/plugins/{plugin['id']}", {"config": {"run_on_preflight": False}})
    assert curl("--request", "OPTIONS", "--url", f"{jack.proxy}/demo").status == 200
    assert jack.get().status == 401


@pytest.mark.parametrize("named_by", ["id", "username"])
def test_an_anonymous_consumer_stands_in(jack: KongProcess, named_by: str) -> None:
    guest = jack.post("/consumers", "username=guest").value
    _asking(jack, f"config.anonymous={guest[named_by]}")
    for answer in (jack.get(), jack.get(bearer="bad")):
        assert values(answer, "x-consumer-username") == ["guest"]
        assert values(answer, "x-anonymous-consumer") == ["true"]
    answer = jack.get("/demo", "X-Anonymous-Consumer: true", bearer=_own())
    assert values(answer, "x-consumer-username") == ["jack"]
    assert values(answer, "x-anonymous-consumer") == []


def test_no_caller_says_itself_that_it_is_anonymous(jack: KongProcess) -> None:
    _asking(jack)
    answer = jack.get("/demo", "X-Anonymous-Consumer: true", "X-Credential-Identifier: forged", bearer=_own())
    assert values(answer, "x-anonymous-consumer") == []
    assert values(answer, "x-credential-identifier") == ["jacks-key"]


def test_an_anonymous_consumer_that_is_not_there_is_a_500(jack: KongProcess) -> None:
    _asking(jack, "config.anonymous=nobody")
    answer = jack.get()
    assert (answer.status, answer.value["message"]) == (500, "An unexpected error occurred")


def test_several_plugins_must_all_be_satisfied(jack: KongProcess) -> None:
    _asking(jack)
    jack.post("/services/demo/plugins", "name=key-auth")
    assert jack.post("/consumers/jack/key-auth", "key=k-1").status == 201
    assert jack.get("/demo", "apikey: k-1", bearer=_own()).status == 200
    assert jack.get("/demo", "apikey: k-1").status == 401
    assert jack.get(bearer=_own()).status == 401


def test_with_an_anonymous_consumer_each_one_suffices(jack: KongProcess) -> None:
    jack.post("/consumers", "username=guest")
    _asking(jack, "config.anonymous=guest")
    jack.post("/services/demo/plugins", "name=key-auth", "config.anonymous=guest")
    jack.post("/consumers/jack/key-auth", "key=k-1")
    for answer in (jack.get(bearer=_own()), jack.get("/demo", "apikey: k-1")):
        assert values(answer, "x-consumer-username") == ["jack"]
    assert values(jack.get(), "x-consumer-username") == ["guest"]


def test_changes_of_credentials_hold_at_once(jack: KongProcess) -> None:
    _asking(jack)
    other = SECRET[::-1]
    assert jack.get(bearer=_own()).status == 200
    assert jack.send("PATCH", "/consumers/jack/jwt/jacks-key", {"secret": other}).status == 200
    assert jack.get(bearer=_own()).status == 401
    assert jack.get(bearer=_own(other)).status == 200
    assert jack.send("DELETE", "/consumers/jack/jwt/jacks-key").status == 204
    assert jack.get(bearer=_own(other)).value == {"message": "No credentials found for given 'iss'"}
    assert jack.send("PUT", "/consumers/jack/jwt/jacks-key", {"secret": SECRET}).status == 200
    assert jack.get(bearer=_own()).status == 200


def test_a_consumer_s_credentials_go_with_it(jack: KongProcess) -> None:
    _asking(jack)
    assert jack.get(bearer=_own()).status == 200
    assert jack.send("DELETE", "/consumers/jack").status == 204
    assert jack.send("GET", "/jwts/jacks-key").status == 404
    assert jack.get(bearer=_own()).status == 401


def test_a_changed_name_is_seen_at_once(jack: KongProcess) -> None:
    _asking(jack)
    assert jack.send("PATCH", "/consumers/jack", {"username": "john", "custom_id": None}).status == 200
    answer = jack.get("/demo", "X-Consumer-Custom-ID: forged", bearer=_own())
    assert values(answer, "x-consumer-username") == ["john"]
    assert values(answer, "x-consumer-custom-id") == []
