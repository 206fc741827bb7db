"""Keys an issuer publishes: scenarios 25 to 31 of the published examples, and which key of a set is meant."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.key_forms import Private, jwk, private_key, x5c
from tests.dialects.couper.key_server import PAGE, Answer, KeyServer, key_set
from tests.dialects.couper.seen import allowed, refused
from tests.dialects.couper.tokens import SECRET, compact, signed

RSA, OTHER, THIRD = (private_key("RS256", name) for name in ("", "other", "third"))
P256, P384, P521 = (private_key(alg) for alg in ("ES256", "ES384", "ES512"))
K1 = jwk(RSA, kid="k1")
UNVERIFIABLE = "token is unverifiable: error while executing keyfunc: "


def certified(key: Private, kid: str, **members: Any) -> dict[str, Any]:
    """A JWK whose key stands in its certificate alone."""
    kty = jwk(key)["kty"]
    return {"kty": kty, "kid": kid, "use": "sig", "x5c": x5c(key), **members}


MANY = (
    "text",
    None,
    {"kty": "oct", "kid": "oct", "use": "sig", "k": "eTB1clMzY3JldFQwOGVVNWVkRjByQzB1UGVySW5UaGUzeGFtcDFl"},
    {"kty": "XYZ", "kid": "unknown", "use": "sig"},
    {"kty": "OKP", "kid": "okp", "use": "sig", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    {"kty": "RSA", "kid": "nothing", "use": "sig"},
    {"kty": "EC", "kid": "no-y", "use": "sig", "crv": "P-256", "x": jwk(P256)["x"]},
    {"kty": "RSA", "kid": "no-certificate", "use": "sig", "x5c": ["AAAA"]},
    jwk(RSA, kid="r256", alg="RS256"),
    jwk(RSA, kid="r384", alg="RS384"),
    jwk(RSA, kid="any"),
    jwk(RSA, kid="no-use", use=None),
    jwk(RSA, kid="enc", use="enc"),
    jwk(RSA, kid="SIG", use="SIG"),
    jwk(P256, kid="e256"),
    jwk(P384, kid="e384"),
    jwk(P521, kid="e512", alg="ES512"),
    jwk(P256, kid="not-384", alg="ES384"),
    jwk(P256, kid="not-rsa", alg="RS256"),
    jwk(RSA, kid="twice"),
    jwk(OTHER, kid="twice"),
    jwk(P256, kid="twice"),
    jwk(RSA, kid="partly-taken", alg="RS384"),
    jwk(OTHER, kid="partly-taken"),
    jwk(RSA, kid="unused-first", use="enc"),
    jwk(OTHER, kid="unused-first"),
    jwk(THIRD, kid=None),
    certified(RSA, "x5c"),
    certified(P256, "x5c-ec", alg="ES256"),
    certified(RSA, "x5c-rules", n=jwk(OTHER)["n"], e="AQAB"),
    jwk(RSA, kid="x5c-broken", x5c=["AAAA"]),
    jwk(RSA, kid="x5c-of-none", x5c=[]),
)


def answers(hanging: threading.Event) -> dict[str, Any]:
    """What is published, by path."""

    def hangs(_number: int) -> Answer:
        hanging.wait(10)
        return key_set(K1)

    return {
        "/one": key_set(K1),
        PAGE: key_set(K1),
        "/many": key_set(*MANY),
        "/absent": (404, b""),
        "/broken": (500, b"{}"),
        "/created": (201, key_set(K1)[1]),
        "/no-json": (200, b"nothing of the kind"),
        "/empty": key_set(),
        "/nothing": (200, b"{}"),
        "/unusable": key_set(MANY[2]),
        "/late": lambda number: key_set(K1) if number > 2 else (503, b""),
        "/hangs": hangs,
        "/named": key_set(K1),
        "/inline": key_set(K1),
    }


FILES: dict[str, tuple[Any, ...]] = {
    "modulus": (K1,),
    "certificate": (certified(RSA, "k1"),),
    "curve": (jwk(P256, kid="k1"),),
    "curve-certificate": (certified(P256, "k1"),),
    "many": MANY,
    "unnamed": (jwk(RSA, kid=None),),
    "empty": (),
}


@pytest.fixture(scope="module")
def issuers() -> Iterator[KeyServer]:
    with KeyServer() as running:
        yield running


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory, issuers: KeyServer) -> Iterator[CouperProcess]:
    folder = tmp_path_factory.mktemp("couper")
    (folder / "keys").mkdir()
    for name, keys in FILES.items():
        (folder / "keys" / f"{name}.json").write_bytes(key_set(*keys)[1])
    hanging = threading.Event()
    backend = f'origin = "{issuers.url}"\n      set_request_headers = {{ x-probe = "%s" }}'
    more = {"/named": 'backend = "be"', "/inline": f"backend {{\n      {backend % 2}\n    }}"}
    blocks = {f"file-{name}": jwt(f"file-{name}", keys=f'jwks_url = "keys/{name}.json"') for name in FILES}
    blocks["uri"] = jwt("uri", keys='jwks_url = "file:keys/modulus.json"')
    blocks["absolute"] = jwt("absolute", keys=f'jwks_url = "file://{folder}/keys/modulus.json"')
    for path, answer in answers(hanging).items():
        url = issuers.publish(path, answer)
        blocks[path[1:]] = jwt(path[1:], more.get(path, ""), keys=f'jwks_url = "{url}"')
    blocks["away"] = jwt("away", keys='jwks_url = "http://127.0.0.1:1/"')
    text = file(
        *(endpoint(f"/{label}", label) for label in blocks),
        definitions=(*blocks.values(), f'backend "be" {{\n    {backend % 1}\n  }}'),
    )
    with CouperProcess(folder, text) as running:
        running.hanging = hanging  # type: ignore[attr-defined]
        yield running
        hanging.set()


def unverifiable(couper: CouperProcess, label: str, token: str) -> str:
    """Why no key was found for this token, as the log tells."""
    line = refused(couper, couper.ask(f"/{label}", bearer=token), "jwt_token_invalid")
    before, found, after = str(line["message"]).partition(UNVERIFIABLE)
    assert (before, found) == (f"access control error: {label}: ", UNVERIFIABLE)
    return after


def test_25_a_key_is_found_by_its_kid(couper: CouperProcess) -> None:
    allowed(couper.ask("/one", bearer=signed(RSA, "RS256", kid="k1")))
    assert unverifiable(couper, "one", signed(RSA, "RS256")) == 'no matching RS256 JWK for kid ""'
    assert unverifiable(couper, "one", signed(RSA, "RS256", kid="other")) == 'no matching RS256 JWK for kid "other"'
    assert unverifiable(couper, "one", signed(RSA, "RS256", kid="K1")) == 'no matching RS256 JWK for kid "K1"'


def test_25_a_set_is_what_can_be_read_as_one(couper: CouperProcess) -> None:
    allowed(couper.ask(PAGE, bearer=signed(RSA, "RS256", kid="k1")))


def test_25_the_listener_waits_for_no_key_set(couper: CouperProcess) -> None:
    threading.Timer(0.5, couper.hanging.set).start()  # type: ignore[attr-defined]
    allowed(couper.ask("/hangs", bearer=signed(RSA, "RS256", kid="k1")))


def test_25_an_early_request_waits_for_three_tries(couper: CouperProcess, issuers: KeyServer) -> None:
    allowed(couper.ask("/late", bearer=signed(RSA, "RS256", kid="k1")))
    assert len(issuers.asked["/late"]) == 3


@pytest.mark.parametrize("label", ["file-modulus", "file-certificate", "uri", "absolute"])
def test_26_a_set_may_be_a_file(couper: CouperProcess, label: str) -> None:
    allowed(couper.ask(f"/{label}", bearer=signed(RSA, "RS256", kid="k1")))
    refused(couper, couper.ask(f"/{label}", bearer=signed(OTHER, "RS256", kid="k1")), "jwt_token_invalid")
    assert unverifiable(couper, label, signed(RSA, "RS256")) == 'no matching RS256 JWK for kid ""'
    assert unverifiable(couper, label, signed(RSA, "RS256", kid="other")) == 'no matching RS256 JWK for kid "other"'


@pytest.mark.parametrize("label", ["file-curve", "file-curve-certificate"])
def test_26_with_keys_on_curves(couper: CouperProcess, label: str) -> None:
    allowed(couper.ask(f"/{label}", bearer=signed(P256, "ES256", kid="k1")))
    assert unverifiable(couper, label, signed(P384, "ES384", kid="k1")) == 'no matching ES384 JWK for kid "k1"'


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("absent", "received no valid JWKs data: <nil>, status code 404"),
        ("broken", "received no valid JWKs data: <nil>, status code 500"),
        ("created", "received no valid JWKs data: <nil>, status code 201"),
        ("no-json", "received no valid JWKs data: <nil>, status code 200"),
        ("away", "received no valid JWKs data: <nil>, status code 0"),
        ("empty", "missing jwks key-data"),
        ("nothing", "missing jwks key-data"),
        ("file-empty", "missing jwks key-data"),
        ("unusable", 'no matching RS256 JWK for kid "k1"'),
    ],
)
def test_27_without_a_set_no_token_is_good(couper: CouperProcess, label: str, told: str) -> None:
    answer = couper.ask(f"/{label}", bearer=signed(RSA, "RS256", kid="k1"))
    line = refused(couper, answer, "jwt_token_invalid")
    assert line["message"] == f"access control error: {label}: {UNVERIFIABLE}{told}"
    assert answer.field("www-authenticate") == 'Bearer error="invalid_token"'
    assert answer.field("retry-after") is None


def test_28_keys_are_used_until_they_are_stale(tmp_path: Path) -> None:
    token = signed(RSA, "RS256", kid="k1")
    fetched: list[int] = []

    def answer(number: int) -> Answer:
        fetched.append(number)
        return key_set(K1) if number == 1 else (500, b"")

    with KeyServer() as issuer:
        url = issuer.publish("/keys", answer)
        keys = f'jwks_url = "{url}"\n    jwks_ttl = "1s"\n    jwks_max_stale = "4s"'
        with CouperProcess(tmp_path, file(endpoint(), definitions=(jwt(keys=keys),))) as couper:
            allowed(couper.ask(bearer=token))
            couper.until(lambda: len(fetched) > 1)
            allowed(couper.ask(bearer=token))
            couper.until(lambda: couper.ask(bearer=token).status != 200)
            line = refused(couper, couper.ask(bearer=token), "jwt_token_invalid")
    assert line["message"].endswith(f"{UNVERIFIABLE}received no valid JWKs data: <nil>, status code 500")


def test_30_a_set_excludes_a_key_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    for name, value in (("key", SECRET), ("key_file", "key"), ("signature_algorithm", "RS256")):
        said = said_of(tmp_path, 'jwks_url = "http://127.0.0.1:1/"', f'{name} = "{value}"')
        assert said == f"configuration error: J: {name} cannot be used together with jwks_url"


def test_31_the_backend_says_how_a_set_is_asked_for(couper: CouperProcess, issuers: KeyServer) -> None:
    for number, label in enumerate(("named", "inline"), start=1):
        allowed(couper.ask(f"/{label}", bearer=signed(RSA, "RS256", kid="k1")))
        assert {fields["x-probe"] for fields in issuers.asked[f"/{label}"]} == {str(number)}
    assert "x-probe" not in issuers.asked["/one"][0]


def test_31_a_backend_is_named_or_here_and_for_a_set_alone(tmp_path: Path) -> None:
    url, named, inline = (
        'jwks_url = "http://127.0.0.1:1/"',
        'backend = "be"',
        'backend { origin = "http://127.0.0.1:1" }',
    )
    assert said_of(tmp_path, url, named, inline).startswith(
        "couper.hcl:15,5-12: Multiple definitions of backend are not allowed in jwt."
    )
    static = f'signature_algorithm = "HS256"\n    key = "{SECRET}"'
    obsolete = "configuration error: J: backend is obsolete without jwks_url attribute"
    assert said_of(tmp_path, static, named) == obsolete
    assert said_of(tmp_path, static, inline) == obsolete
    assert 'referenced backend "no" is not defined' in said_of(tmp_path, url, 'backend = "no"')


def test_the_address_of_a_set_is_one_that_can_be_asked(tmp_path: Path) -> None:
    assert said_of(tmp_path, 'jwks_url = "ftp://127.0.0.1/k"') == (
        'configuration error: J: unsupported JWKS URI scheme: "ftp://127.0.0.1/k"'
    )
    missing = f"jwks_url: read error: open {tmp_path}/no.json: no such file or directory"
    for url in ("no.json", "file:no.json", f"file://{tmp_path}/no.json"):
        assert said_of(tmp_path, f'jwks_url = "{url}"') == f"configuration error: J: {missing}"


@pytest.mark.parametrize("name", ["jwks_ttl", "jwks_max_stale"])
def test_times_of_a_set_are_durations(tmp_path: Path, name: str) -> None:
    url = 'jwks_url = "http://127.0.0.1:1/"'
    negative = f"configuration error: J: {name}: cannot be negative: '-1s'"
    assert said_of(tmp_path, url, f'{name} = "-1s"') == negative
    invalid = 'configuration error: J: time: invalid duration "invalid"'
    assert said_of(tmp_path, url, f'{name} = "invalid"') == invalid
    assert said_of(tmp_path, url, f'{name} = "1h30m"') == ""
    assert said_of(tmp_path, url, f'{name} = "0"') == ""


def said_of(folder: Path, *lines: str) -> str:
    """What is said of a block with these lines."""
    block = jwt("J", keys="\n    ".join(lines))
    return mistakes(folder, file(endpoint(), definitions=(block, 'backend "be" { origin = "http://127.0.0.1:1" }')))


@pytest.mark.parametrize("label", ["many", "file-many"])
@pytest.mark.parametrize(
    ("key", "alg", "kid"),
    [
        (RSA, "RS256", "r256"),
        (RSA, "RS384", "r384"),
        (RSA, "RS256", "any"),
        (RSA, "RS384", "any"),
        (RSA, "RS512", "any"),
        (P256, "ES256", "e256"),
        (P384, "ES384", "e384"),
        (P521, "ES512", "e512"),
        (RSA, "RS256", "twice"),
        (P256, "ES256", "twice"),
        (RSA, "RS384", "partly-taken"),
        (OTHER, "RS256", "partly-taken"),
        (OTHER, "RS256", "unused-first"),
        (THIRD, "RS256", None),
        (THIRD, "RS512", ""),
        (RSA, "RS256", "x5c"),
        (P256, "ES256", "x5c-ec"),
        (RSA, "RS256", "x5c-rules"),
        (RSA, "RS256", "x5c-of-none"),
    ],
)
def test_a_key_is_chosen_by_kid_use_and_alg(
    couper: CouperProcess, label: str, key: Private, alg: str, kid: str | None
) -> None:
    header = {} if kid is None else {"kid": kid}
    allowed(couper.ask(f"/{label}", bearer=signed(key, alg, **header)))


@pytest.mark.parametrize("label", ["many", "file-many"])
@pytest.mark.parametrize(
    ("key", "alg", "kid"),
    [
        (RSA, "RS384", "r256"),
        (RSA, "RS256", "r384"),
        (RSA, "RS256", "no-use"),
        (RSA, "RS256", "enc"),
        (RSA, "RS256", "SIG"),
        (P384, "ES384", "e256"),
        (RSA, "RS256", "e256"),
        (P256, "ES256", "e384"),
        (P256, "ES256", "any"),
        (P384, "ES384", "not-384"),
        (RSA, "RS256", "not-rsa"),
        (RSA, "RS256", "unknown"),
        (RSA, "RS256", "oct"),
        (RSA, "RS256", "nothing"),
        (P256, "ES256", "no-y"),
        (RSA, "RS256", "no-certificate"),
        (RSA, "RS256", "x5c-broken"),
        (P384, "ES384", "x5c-ec"),
    ],
)
def test_else_there_is_none(couper: CouperProcess, label: str, key: Private, alg: str, kid: str) -> None:
    told = unverifiable(couper, label, signed(key, alg, kid=kid))
    assert told == f'no matching {alg} JWK for kid "{kid}"'


def test_of_several_the_first_is_meant(couper: CouperProcess) -> None:
    for kid in ("twice", "x5c-rules"):
        line = refused(couper, couper.ask("/many", bearer=signed(OTHER, "RS256", kid=kid)), "jwt_token_invalid")
        assert "token signature is invalid: " in line["message"]


def test_a_key_without_a_name_is_for_tokens_without_one(couper: CouperProcess) -> None:
    allowed(couper.ask("/file-unnamed", bearer=signed(RSA, "RS256")))
    told = unverifiable(couper, "file-unnamed", signed(RSA, "RS256", kid="k1"))
    assert told == 'no matching RS256 JWK for kid "k1"'


@pytest.mark.parametrize("alg", ["HS256", "HS512", "none", "PS256", "EdDSA", "rs256"])
def test_a_set_serves_public_keys_of_the_six_algorithms(couper: CouperProcess, alg: str) -> None:
    kid = "oct" if alg.startswith("HS") else "okp" if alg == "EdDSA" else "any"
    line = refused(couper, couper.ask("/many", bearer=compact({"alg": alg, "kid": kid}, {})), "jwt_token_invalid")
    assert line["message"].endswith(f"token signature is invalid: signing method {alg} is invalid")


def test_a_header_says_its_alg_and_its_kid_in_texts(couper: CouperProcess) -> None:
    assert unverifiable(couper, "one", compact({"kid": "k1"}, {})) == 'missing "alg" in JOSE header'
    for kid in (1, None, ["k1"], {}):
        refused(couper, couper.ask("/one", bearer=compact({"alg": "RS256", "kid": kid}, {})), "jwt_token_invalid")
