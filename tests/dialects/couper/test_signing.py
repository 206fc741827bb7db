"""Tokens that a configuration signs: scenarios 42 to 48 of the published examples."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes, open_endpoint
from tests.dialects.couper.key_forms import pkcs8, pkix, private_key, traditional
from tests.dialects.couper.tokens import SECRET, claims_of, header_of, token

HS256 = 'signature_algorithm = "HS256"'
GOLDEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    ".eyJhdWQiOiJUSEVfQVVESUVOQ0UiLCJpc3MiOiJ0aGVfaXNzdWVyIiwic3ViIjoiMTIzNDUifQ"
    ".Hf-ZtIlsxR2bDOdAEMaDHaOBmfVWTQi9U68yV4YHW9w"
)
TTLS = ("300s", "5m", "300000ms", "300000000us", "300000000µs", "300000000000ns", "0.0833333333334h")
OF_KEYS = {
    "RS256": ("key_file", "signing_key_file", "rs-own.pem"),
    "RS384": ("key_file", "signing_key", pkcs8(private_key("RS256"))),
    "ES256": ("key_file", "signing_key_file", "es.pem"),
    "ES384": ("key_file", "signing_key", traditional(private_key("ES384"))),
}
PUBLIC = {"RS256": "rs-public.pem", "RS384": "rs-public.pem", "ES256": "es-public.pem", "ES384": "es384-public.pem"}
SHARED = f"""jwt_signing_profile "shared" {{
    {HS256}
    key = "of the profile"
    ttl = "60s"
    claims = {{ made_by = "profile" }}
  }}"""
GOLDEN_PROFILE = f"""jwt_signing_profile "golden" {{
    {HS256}
    key = "$3cRe4"
    ttl = "0"
    claims = {{ iss = to_lower("The_Issuer") aud = to_upper("The_Audience") }}
  }}"""
MY_AS = """jwt_signing_profile "my-as" {
    signature_algorithm = "RS256"
    key_file = "rs.pem"
    ttl = "600s"
    claims = { iss = "MyAS", iat = unixtime() }
    headers = { kid = "my-jwk-id" }
  }"""
AT_JWT = """jwt_signing_profile "at" {
    signature_algorithm = "ES256"
    key = <<-EOT
      %s
    EOT
    ttl = "60.6s"
    claims = { iat = unixtime(), method = request.method, exp = 7, z = { b = 1.0, a = [2, null] }, html = "<a>&" }
    headers = { typ = "at+jwt", kid = request.headers.x-kid }
  }"""
SHORT = f'jwt_signing_profile "short" {{ {HS256}\n key = "k"\n ttl = "0.9s" }}'
PAST = f'jwt_signing_profile "past" {{ {HS256}\n key = "k"\n ttl = "-60s"\n claims = {{ iat = unixtime() }} }}'


def heredoc(name: str, pem: str) -> str:
    """An attribute with this key between two marks."""
    return f"{name} = <<EOT\n{pem}EOT"


def signer(path: str, expression: str) -> str:
    """An endpoint that answers with a token."""
    return open_endpoint(path, f"response {{ body = {expression} }}")


def block(alg: str) -> str:
    """A `jwt` block that signs and verifies with a pair of keys."""
    of_public, of_private, held = OF_KEYS[alg]
    private = heredoc(of_private, held) if of_private == "signing_key" else f'{of_private} = "{held}"'
    keys = f'signature_algorithm = "{alg}"\n{of_public} = "{PUBLIC[alg]}"\n{private}'
    return jwt(alg, 'signing_ttl = "1h"', keys=keys)


def write_keys(folder: Path) -> None:
    """The files of keys: `NAME.pem`, in the form of its own `NAME-own.pem`, and `NAME-public.pem`."""
    for name, alg in (("rs", "RS256"), ("es", "ES256"), ("es384", "ES384")):
        key = private_key(alg)
        for ending, pem in (("", pkcs8(key)), ("-own", traditional(key)), ("-public", pkix(key))):
            (folder / f"{name}{ending}.pem").write_text(pem)


def served() -> str:
    """All of the examples at once."""
    at_jwt = AT_JWT % "\n      ".join(traditional(private_key("ES256")).splitlines())
    base = 'claims = { iss = "I", sub = "of the block", path = request.path }'
    return file(
        endpoint(),
        *(endpoint(f"/p/{alg}", alg) for alg in OF_KEYS),
        endpoint("/p/shared", "shared"),
        signer("/create", 'jwt_sign("J", {sub = "u1"})'),
        signer("/create/base", 'jwt_sign("base", {sub = "u1"})'),
        signer("/create/alone", 'jwt_sign("base")'),
        signer("/create/unknown", 'jwt_sign("shared-no", {})'),
        signer("/create/no-ttl", 'jwt_sign("no-ttl", {})'),
        signer("/create/text", 'jwt_sign("J", "text")'),
        signer("/create/header", 'jwt_sign(request.headers["x-label"], {sub = "u1"})'),
        signer("/create/golden", 'jwt_sign("golden", {sub = "12345"})'),
        signer("/create/my-as", 'jwt_sign("my-as", {})'),
        signer("/create/my-as/exp", 'jwt_sign("my-as", {exp = 5})'),
        signer("/create/at", 'jwt_sign("at", {})'),
        *(signer(f"/create/{name}", f'jwt_sign("{name}", {{}})') for name in ("shared", "short", "past")),
        *(signer(f"/create/{alg}", f'jwt_sign("{alg}", {{sub = "u1"}})') for alg in OF_KEYS),
        *(signer(f"/create/ttl/{index}", f'jwt_sign("ttl-{index}", {{}})') for index in range(len(TTLS))),
        definitions=(
            jwt("J", 'signing_ttl = "1h"'),
            jwt("base", 'signing_ttl = "1h"', base),
            jwt("no-ttl"),
            jwt("shared"),
            *(SHARED, GOLDEN_PROFILE, MY_AS, at_jwt, SHORT, PAST),
            *(block(alg) for alg in OF_KEYS),
            *(jwt(f"ttl-{index}", f'signing_ttl = "{ttl}"') for index, ttl in enumerate(TTLS)),
        ),
    )


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    folder = tmp_path_factory.mktemp("couper")
    write_keys(folder)
    with CouperProcess(folder, served()) as running:
        yield running


def made(couper: CouperProcess, name: str, *arguments: str) -> str:
    """The token an endpoint answers with."""
    answer = couper.ask(f"/create/{name}".rstrip("/"), *arguments)
    assert answer.status == 200, answer
    return answer.body


def failed(couper: CouperProcess, name: str, *arguments: str) -> str:
    """What the log says of a token that cannot be made."""
    answer = couper.ask(f"/create/{name}", *arguments)
    line = couper.line(answer)
    assert (answer.status, line["error_type"]) == (500, "evaluation")
    assert answer.field("couper-error") == "expression evaluation error"
    message: str = line["message"]
    assert message.startswith("expression evaluation error")
    return message


def verified(text: str, name: str, alg: str) -> dict[str, Any]:
    """The claims of a token, verified by somebody else's library."""
    key = pkix(private_key(name))
    claims: dict[str, Any] = pyjwt.decode(
        text, key, algorithms=[alg], options={"verify_exp": False, "verify_aud": False, "verify_iat": False}
    )
    return claims


def is_now(seconds: int, shift: int = 0) -> bool:
    """Whether this is so many seconds from now, give or take what a test needs."""
    return abs(time.time() + shift - seconds) <= 10


def test_42_a_block_signs_what_it_accepts(couper: CouperProcess) -> None:
    text = made(couper, "")
    assert text.count(".") == 2
    assert header_of(text) == {"alg": "HS256", "typ": "JWT"}
    claims = claims_of(text)
    assert claims.keys() == {"exp", "sub"}
    assert claims["sub"] == "u1"
    assert is_now(claims["exp"], 3600)
    accepted = couper.ask(bearer=text)
    assert (accepted.status, accepted.field("x-sub")) == (200, "u1")
    assert text == token({"exp": claims["exp"], "sub": "u1"})


def test_42_claims_of_the_block_come_first(couper: CouperProcess) -> None:
    claims = claims_of(made(couper, "base"))
    assert {name: claims[name] for name in ("iss", "sub", "path")} == {"iss": "I", "sub": "u1", "path": "/create/base"}
    assert claims_of(made(couper, "alone"))["sub"] == "of the block"


@pytest.mark.parametrize("alg", OF_KEYS)
def test_43_a_block_signs_with_a_private_key(couper: CouperProcess, alg: str) -> None:
    text = made(couper, alg)
    assert header_of(text) == {"alg": alg, "typ": "JWT"}
    accepted = couper.ask(f"/p/{alg}", bearer=text)
    assert (accepted.status, accepted.field("x-sub")) == (200, "u1")
    assert couper.ask(f"/p/{'ES256' if alg != 'ES256' else 'RS256'}", bearer=text).status == 401


def test_43_a_signing_key_is_needed_once(tmp_path: Path) -> None:
    write_keys(tmp_path)
    keys = 'signature_algorithm = "RS256"\nkey_file = "rs-public.pem"'

    def told(*lines: str) -> str:
        return mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", 'signing_ttl = "1h"', *lines, keys=keys),)))

    without = told()
    assert "configuration error: J: jwt signing key: read error: required: configured attribute or file" in without
    both = told(heredoc("signing_key", pkcs8(private_key("RS256"))), 'signing_key_file = "rs.pem"')
    assert "configuration error: J: jwt signing key: read error: configured attribute and file" in both
    assert told('signing_key_file = "rs.pem"') == ""


def test_44_a_label_signs_once(tmp_path: Path) -> None:
    same = SHARED.replace('"shared"', '"J"')
    signing = file(endpoint(), definitions=(jwt("J", 'signing_ttl = "1h"'), same))
    assert "JWT signing profile labels must be unique" in mistakes(tmp_path, signing)
    twice = file(endpoint(), definitions=(jwt("x"), same, same))
    assert "JWT signing profile labels must be unique" in mistakes(tmp_path, twice)


def test_44_a_block_and_a_profile_of_one_label_both_work(couper: CouperProcess) -> None:
    of_profile = made(couper, "shared")
    assert claims_of(of_profile)["made_by"] == "profile"
    assert couper.ask("/p/shared", bearer=of_profile).status == 401
    assert couper.ask("/p/shared", bearer=token({"sub": "x"}, secret=SECRET)).status == 200
    assert token(claims_of(of_profile), secret="of the profile") == of_profile


def test_45_what_cannot_sign_is_a_fault(couper: CouperProcess) -> None:
    wanted = "missing jwt_signing_profile or jwt (with signing_ttl) block with referenced label"
    assert f'{wanted} "no-ttl"' in failed(couper, "no-ttl")
    assert f'{wanted} "shared-no"' in failed(couper, "unknown")
    assert f'{wanted} "nobody"' in failed(couper, "header", "--header", "X-Label: nobody")
    assert claims_of(made(couper, "header", "--header", "X-Label: J"))["sub"] == "u1"


def test_45_claims_are_an_object(couper: CouperProcess) -> None:
    assert "object" in failed(couper, "text")


def test_46_a_token_is_the_same_byte_for_byte(couper: CouperProcess) -> None:
    assert made(couper, "golden") == GOLDEN
    assert couper.ask("/create/golden").body == GOLDEN


def test_47_a_profile_says_headers_and_claims(couper: CouperProcess) -> None:
    text = made(couper, "my-as")
    assert header_of(text) == {"alg": "RS256", "kid": "my-jwk-id", "typ": "JWT"}
    claims = verified(text, "RS256", "RS256")
    assert claims["iss"] == "MyAS"
    assert claims["exp"] - claims["iat"] == 600
    assert is_now(claims["iat"])
    assert claims_of(made(couper, "my-as/exp"))["exp"] == 5


def test_47_members_are_sorted_and_escaped_and_whole_numbers_have_no_fraction(couper: CouperProcess) -> None:
    text = made(couper, "at", "--header", "X-Kid: of-today", "--request", "GET")
    assert header_of(text) == {"alg": "ES256", "kid": "of-today", "typ": "at+jwt"}
    claims = verified(text, "ES256", "ES256")
    assert claims["exp"] - claims["iat"] == 60
    written = base64.urlsafe_b64decode(text.split(".")[1] + "==").decode()
    first, _, rest = written.partition(f'"iat":{claims["iat"]},')
    assert first == f'{{"exp":{claims["exp"]},"html":"\\u003ca\\u003e\\u0026",'
    assert rest == '"method":"GET","z":{"a":[2,null],"b":1}}'


def test_47_alg_is_not_for_headers(tmp_path: Path) -> None:
    text = file(endpoint(), definitions=(jwt(), GOLDEN_PROFILE.replace("claims", 'headers = { alg = "none" }\nclaims')))
    assert '"alg" cannot be set via "headers"' in mistakes(tmp_path, text)


def test_47_a_profile_needs_a_key_and_an_algorithm(tmp_path: Path) -> None:
    def told(line: str) -> str:
        return mistakes(
            tmp_path, file(endpoint(), definitions=(jwt(), f'jwt_signing_profile "p" {{ ttl = "1s"\n{line} }}'))
        )

    wanted = "configuration error: p: jwt_signing_profile key: read error: required: configured attribute or file"
    assert wanted in told(HS256)
    assert "p: algorithm is not supported" in told('signature_algorithm = "XX256"\nkey = "k"')
    assert told(f'{HS256}\nkey = "k"') == ""


@pytest.mark.parametrize("index", range(len(TTLS)), ids=TTLS)
def test_48_lifetimes_may_be_written_in_any_unit(couper: CouperProcess, index: int) -> None:
    assert is_now(claims_of(made(couper, f"ttl/{index}"))["exp"], 300)


def test_48_less_than_a_second_is_none_and_a_token_may_be_born_dead(couper: CouperProcess) -> None:
    assert claims_of(made(couper, "short")) == {}
    past = claims_of(made(couper, "past"))
    assert past["exp"] - past["iat"] == -60


def test_48_a_lifetime_must_be_readable(tmp_path: Path) -> None:
    told = mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", 'signing_ttl = "5 minutes"'),)))
    assert "J: " in told
    assert 'time: invalid duration "5 minutes"' in told
