import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from jwtgate.cli.demo_services import AUDIENCE, Echo, Issuer
from jwtgate.errors import TokenRefused
from jwtgate.jose.key_set import KeySet
from jwtgate.verifier import verify


def _fetch(url: str, form: dict[str, str] | None = None) -> bytes:
    body = urlencode(form).encode() if form is not None else None
    with urlopen(Request(url, body), timeout=10) as answer:
        found: bytes = answer.read()
    return found


def _json(url: str, form: dict[str, str] | None = None) -> Any:
    return json.loads(_fetch(url, form))


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_token_of_the_issuer_holds_by_the_keys_its_metadata_leads_to(alg: str) -> None:
    with Issuer(0) as issuer:
        metadata = _json(f"{issuer.address}/.well-known/openid-configuration")
        keys, skipped = KeySet.parse_remote(_fetch(metadata["jwks_uri"]))
        form = {"grant_type": "client_credentials", "scope": "a b", "alg": alg}
        token = _json(metadata["token_endpoint"], form)["access_token"]
    found = verify(token, keys, algorithms=[alg], issuer=metadata["issuer"], audience=AUDIENCE, types=["at+jwt"])
    assert (found.claims["scope"], skipped) == ("a b", ())


def test_the_issuer_makes_an_expired_token_when_asked() -> None:
    with Issuer(0) as issuer:
        form = {"grant_type": "client_credentials", "expired": "1", "plain": "1", "audience": "x"}
        token = _fetch(f"{issuer.address}/token", form).decode().strip()
        keys = KeySet(key.public() for key in issuer.keys.values())
    with pytest.raises(TokenRefused) as caught:
        verify(token, keys, algorithms=["RS256"], issuer=issuer.address, audience="x")
    assert caught.value.reason == "token_expired"


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/nowhere", None, 404),
        ("/nowhere", {}, 404),
        ("/token", {"grant_type": "password"}, 400),
        ("/token", {"grant_type": "client_credentials", "alg": "none"}, 400),
    ],
)
def test_the_issuer_refuses_what_it_does_not_serve(path: str, form: dict[str, str] | None, status: int) -> None:
    with Issuer(0) as issuer, pytest.raises(HTTPError) as caught:
        _fetch(f"{issuer.address}{path}", form)
    with caught.value as answer:
        assert answer.status == status


def test_the_echo_answers_what_it_was_sent() -> None:
    with Echo(0) as echo:
        seen = _json(f"{echo.address}/a?b=c", {"x": "y"})
    assert (seen["method"], seen["path"]) == ("POST", "/a?b=c")
    assert ["Host", echo.address.removeprefix("http://")] in seen["fields"]
