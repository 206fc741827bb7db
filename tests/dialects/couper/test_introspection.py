"""Tokens that are asked about before they are believed: `beta_introspection`."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt as pyjwt
import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.key_forms import pkcs8, pkix, private_key
from tests.dialects.couper.tokens import T2, T4, token
from tests.integration.background_server import BackgroundServer, QuietHandler

CLIENT, SECRET_OF_CLIENT = "my client", "s3cr&t/with=more than-thirty-two-bytes"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BASIC = f'client_id = "{CLIENT}" client_secret = "{SECRET_OF_CLIENT}"'
BY_SECRET = """endpoint_auth_method = "client_secret_jwt"
      jwt_signing_profile { signature_algorithm = "HS256" ttl = "30s" }"""
BY_KEY = f"""endpoint_auth_method = "private_key_jwt"
      jwt_signing_profile {{
        signature_algorithm = "RS256"
        key = <<-EOT
{pkcs8(private_key("RS256"))}        EOT
        ttl = "30s"
        claims = {{ aud = "https://as.example/token" }}
        headers = {{ kid = "mine" }}
      }}"""
BLOCKS = {
    "basic": BASIC,
    "post": f'{BASIC} endpoint_auth_method = "client_secret_post"',
    "secret": f"{BASIC}\n      {BY_SECRET}",
    "key": f'client_id = "{CLIENT}"\n      {BY_KEY}',
}


class Authority(BackgroundServer):
    """Says of each token what it was told to say, and notes who asked."""

    def __init__(self) -> None:
        super().__init__(_Authority)
        self.says: dict[str, tuple[int, bytes]] = {}
        self.asked: list[tuple[dict[str, str], dict[str, str]]] = []
        self.waits_seconds = 0.0

    def say(self, text: str, answer: object = None, *, status: int = 200) -> str:
        """Answer so from now on when asked about this token, which is returned."""
        body = json.dumps({"active": True} if answer is None else answer)
        self.says[text] = status, body.encode()
        return text

    def times_asked(self, text: str) -> int:
        """How often somebody asked about this token."""
        return sum(form["token"] == text for form, _ in self.asked)


class _Authority(QuietHandler, BaseHTTPRequestHandler):
    server: Authority

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: value for name, (value,) in parse_qs(body).items()}
        self.server.asked.append((form, {name.lower(): value for name, value in self.headers.items()}))
        time.sleep(self.server.waits_seconds)
        self.answer(*self.server.says.get(form["token"], (200, b'{"active":false}')))


def block(label: str, url: str, held: str, ttl: str, *lines: str) -> str:
    """A `jwt` block that asks there."""
    asked = f'beta_introspection {{\n      endpoint = "{url}/introspect"\n      ttl = "{ttl}"\n      {held}\n    }}'
    return jwt(label, asked, *lines)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as running:
        yield running


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[CouperProcess]:
    handled = 'error_handler "jwt_token_inactive" { response { status = 410 } }'
    wrapped = 'error_handler "jwt" { response { status = 418 } }'
    claims = 'claims = { sub = "jane" }'
    blocks = [block(label, authority.url, held, "60s") for label, held in BLOCKS.items()]
    blocks += [
        block("uncached", authority.url, BASIC, "0"),
        block("handled", authority.url, BASIC, "0", handled, 'cookie = "tok"'),
        block("wrapped", authority.url, BASIC, "0", wrapped),
        block("claims", authority.url, BASIC, "0", claims),
        block("nowhere", "http://127.0.0.1:9", BASIC, "0"),
    ]
    names = [*BLOCKS, "uncached", "handled", "wrapped", "claims", "nowhere"]
    text = file(*(endpoint(f"/{name}", name) for name in names), definitions=tuple(blocks))
    with CouperProcess(tmp_path_factory.mktemp("couper"), text) as running:
        yield running


def of(sub: str, **claims: Any) -> str:
    """A token that is good in itself."""
    return token({"sub": sub, **claims})


def asked_by(couper: CouperProcess, authority: Authority, label: str) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the header fields with which a block asks."""
    text = authority.say(of(f"by-{label}"))
    answer = couper.ask(f"/{label}", bearer=text)
    assert (answer.status, answer.field("x-sub")) == (200, f"by-{label}")
    form, fields = authority.asked[-1]
    assert form["token"] == text
    assert "token_type_hint" not in form
    assert fields["content-type"] == "application/x-www-form-urlencoded"
    return form, fields


def test_a_client_may_show_its_secret_in_a_field(couper: CouperProcess, authority: Authority) -> None:
    form, fields = asked_by(couper, authority, "basic")
    scheme, _, shown = fields["authorization"].partition(" ")
    assert scheme == "Basic"
    name, _, secret = base64.b64decode(shown).decode().partition(":")
    assert (name, secret) in (
        ("my%20client", "s3cr%26t%2Fwith%3Dmore%20than-thirty-two-bytes"),
        ("my+client", "s3cr%26t%2Fwith%3Dmore+than-thirty-two-bytes"),
    )
    assert form.keys() == {"token"}


def test_a_client_may_show_its_secret_in_the_form(couper: CouperProcess, authority: Authority) -> None:
    form, fields = asked_by(couper, authority, "post")
    assert (form["client_id"], form["client_secret"]) == (CLIENT, SECRET_OF_CLIENT)
    assert "authorization" not in fields


@pytest.mark.parametrize(
    ("label", "alg", "key"), [("secret", "HS256", SECRET_OF_CLIENT), ("key", "RS256", pkix(private_key("RS256")))]
)
def test_a_client_may_show_a_token_of_its_own(
    couper: CouperProcess, authority: Authority, label: str, alg: str, key: str
) -> None:
    form, fields = asked_by(couper, authority, label)
    assert form["client_assertion_type"] == ASSERTION_TYPE
    assert "authorization" not in fields
    assert "client_secret" not in form
    claims = pyjwt.decode(form["client_assertion"], key, algorithms=[alg], options={"verify_aud": False})
    header = pyjwt.get_unverified_header(form["client_assertion"])
    assert (claims["iss"], claims["sub"]) == (CLIENT, CLIENT)
    assert claims["exp"] - claims["iat"] == 30
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["jti"].startswith("client_assertion-")
    if label == "key":
        assert (claims["aud"], header["kid"]) == ("https://as.example/token", "mine")
    else:
        assert "aud" not in claims


def test_a_token_that_is_not_active_is_of_a_kind_of_its_own(couper: CouperProcess, authority: Authority) -> None:
    answer = couper.ask("/uncached", bearer=authority.say(of("inactive"), {"active": False}))
    line = couper.line(answer)
    assert (answer.status, line["error_type"]) == (401, "jwt_token_inactive")
    assert line["message"] == "access control error: uncached: token inactive"
    wanted = 'Bearer error="invalid_token", error_description="The access token is inactive"'
    assert answer.field("www-authenticate") == wanted
    assert couper.ask("/handled", "--cookie", f"tok={of('inactive')}").status == 410


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {"active": True}),
        (200, {"active": "true"}),
        (200, {}),
        (200, ["active"]),
        (404, {}),
        (201, {"active": True}),
    ],
)
def test_an_answer_that_says_nothing_is_an_error(
    couper: CouperProcess, authority: Authority, status: int, answer: object
) -> None:
    text = authority.say(of(f"bad-{status}-{answer}"), answer, status=status)
    refused = couper.ask("/uncached", bearer=text)
    line = couper.line(refused)
    assert (refused.status, line["error_type"]) == (403, "jwt")
    assert line["message"].startswith("access control error: uncached: ")
    assert refused.field("couper-error") == "access control error"
    assert refused.field("www-authenticate") is None
    assert couper.ask("/wrapped", bearer=text).status == 418


def test_nobody_answers(couper: CouperProcess) -> None:
    answer = couper.ask("/nowhere", bearer=of("anybody"))
    assert (answer.status, couper.line(answer)["error_type"]) == (403, "jwt")


def test_only_what_is_good_in_itself_is_asked_about(couper: CouperProcess, authority: Authority) -> None:
    other = authority.say(of("joe"))
    for text, kind in ((T2, "jwt_token_expired"), (T4, "jwt_token_invalid"), (other, "jwt_token_invalid")):
        answer = couper.ask("/claims", bearer=text)
        assert (answer.status, couper.line(answer)["error_type"]) == (401, kind)
        assert authority.times_asked(text) == 0
    opaque = authority.say("is-no-jwt", {"active": True, "sub": "jane"})
    assert couper.ask("/claims", bearer=opaque).status == 401
    assert authority.times_asked(opaque) == 0
    good = authority.say(of("jane"))
    assert couper.ask("/claims", bearer=good).status == 200
    assert authority.times_asked(good) == 1


def test_an_answer_is_remembered_as_long_as_the_ttl(couper: CouperProcess, authority: Authority) -> None:
    text = authority.say(of("remembered"))
    assert [couper.ask("/basic", bearer=text).status for _ in range(4)] == [200] * 4
    assert authority.times_asked(text) == 1


def test_without_a_ttl_each_request_asks(couper: CouperProcess, authority: Authority) -> None:
    text = authority.say(of("asked-each-time"))
    assert [couper.ask("/uncached", bearer=text).status for _ in range(3)] == [200] * 3
    assert authority.times_asked(text) == 3
    authority.say(text, {"active": False})
    assert couper.ask("/uncached", bearer=text).status == 401


def test_an_answer_is_not_remembered_longer_than_the_token_lives(couper: CouperProcess, authority: Authority) -> None:
    text = authority.say(of("short-lived", exp=int(time.time()) + 4))
    assert couper.ask("/basic", bearer=text).status == 200
    couper.until(lambda: couper.ask("/basic", bearer=text).status != 200)
    answer = couper.ask("/basic", bearer=text)
    assert couper.line(answer)["error_type"] == "jwt_token_expired"


def test_a_token_that_is_not_active_is_remembered_too(couper: CouperProcess, authority: Authority) -> None:
    text = authority.say(of("inactive-remembered"), {"active": False})
    assert [couper.ask("/basic", bearer=text).status for _ in range(3)] == [401] * 3
    assert authority.times_asked(text) == 1


def test_one_request_at_a_time_asks_about_a_token(couper: CouperProcess, authority: Authority) -> None:
    text = authority.say(of("at-once"))
    authority.waits_seconds = 0.5
    try:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: couper.ask("/basic", bearer=text).status, range(6)))
    finally:
        authority.waits_seconds = 0.0
    assert answers == [200] * 6
    assert authority.times_asked(text) == 1


def test_neither_tokens_nor_secrets_are_logged(couper: CouperProcess, authority: Authority) -> None:
    text = authority.say(of("secret"))
    couper.line(couper.ask("/uncached", bearer=text))
    assert text not in couper.journal() + str(couper.logged())
    assert SECRET_OF_CLIENT not in couper.journal()


PROFILE = 'jwt_signing_profile { signature_algorithm = "HS256" ttl = "30s" }'


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (
            'client_id = "c" client_secret = "s" endpoint_auth_method = "none"',
            'endpoint_auth_method "none" not supported',
        ),
        ('client_id = "" client_secret = "s"', "client_id must not be empty"),
        ('client_id = "c"', "client_secret must not be empty with client_secret_basic"),
        (
            'client_id = "c" endpoint_auth_method = "client_secret_post"',
            "client_secret must not be empty with client_secret_post",
        ),
        (
            'client_id = "c" client_secret = "s" endpoint_auth_method = "client_secret_jwt"',
            "jwt_signing_profile block must be set with client_secret_jwt",
        ),
        (
            f'client_id = "c" client_secret = "s"\n{PROFILE}',
            "jwt_signing_profile block must not be set with client_secret_basic",
        ),
        (
            f'client_id = "c" endpoint_auth_method = "private_key_jwt"\n{PROFILE}',
            "inappropriate signature algorithm with private_key_jwt",
        ),
        (
            'client_id = "c" client_secret = "s" endpoint_auth_method = "client_secret_jwt"\n'
            + PROFILE.replace("ttl", 'key = "k"\nttl'),
            "key and key_file must not be set with client_secret_jwt",
        ),
    ],
)
def test_what_cannot_ask_does_not_start(tmp_path: Path, held: str, told: str) -> None:
    text = file(endpoint(), definitions=(block("J", "http://127.0.0.1:9", held, "1s"),))
    assert f"configuration error: J: {told}" in mistakes(tmp_path, text)


def test_a_ttl_is_not_negative_and_not_left_out(tmp_path: Path) -> None:
    text = file(endpoint(), definitions=(block("J", "http://127.0.0.1:9", BASIC, "-1s"),))
    assert "cannot be negative: '-1s'" in mistakes(tmp_path, text)
    assert "ttl" in mistakes(tmp_path, text.replace('ttl = "-1s"', ""))
    assert mistakes(tmp_path, text.replace('"-1s"', '"0"')) == ""
