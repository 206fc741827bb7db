from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from jwtgate.errors import ConfigError
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.sources import Fetching, KeyText, SigningKeys
from jwtgate.state.http_client import NO_FIELDS, FetchFailed, FetchRules, HttpClient, Response
from jwtgate.state.keys.external_signing_keys import (
    MOST_BACK_OFF_SECONDS,
    ExternalSigningKeys,
    fetch_given,
    read_given,
)
from jwtgate.state.keys.keyring import Given, Keyring
from jwtgate.state.stores.store import MemoryStore, Store

from ..virtual_time import live, now

NOON = 1_800_000_000
ADDRESS = "https://keys.example/private"
FILE = SigningKeys("main", file="key")
URL = SigningKeys("main", url=ADDRESS)


@cache
def key(kid: str, alg: str = "ES256") -> Key:
    return generate_key(alg, kid=kid)


def jwks(*keys: Key) -> str:
    return json.dumps(
        {"keys": [one.to_private_jwk() if one.is_private or one.is_symmetric else one.to_jwk() for one in keys]}
    )


def read(wanted: SigningKeys, **files: str) -> Given:
    return read_given(wanted, resolves(files))


def resolves(files: Mapping[str, str]) -> Callable[[str], str]:
    def resolve(text: str) -> str:
        if not text.startswith("${file:"):
            return text
        name = text[7:-1]
        if name not in files:
            raise ConfigError(f"The reference {text} cannot be read.")
        return files[name]

    return resolve


def kids(given: Given) -> list[str | None]:
    return [one.kid for one in given.keys]


def problem(wanted: SigningKeys, **files: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(wanted, **files)
    (sentence,) = caught.value.problems
    return sentence


def certificate(of: Key, name: str = "leaf") -> bytes:
    """A certificate for this key that it signed itself, in DER."""
    private = cast(ec.EllipticCurvePrivateKey, of.material.signer)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, private.public_key(), 7)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2036, 1, 1, tzinfo=UTC)
    )
    return builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)


def pem(*certificates: bytes) -> str:
    return "".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM).decode() for one in certificates)


class Web(HttpClient):
    """One address with what it says at the moment, and what was sent there."""

    def __init__(self, page: str | FetchFailed = "") -> None:
        self.page = page
        self.media_type = "application/jwk-set+json"
        self.asked: list[tuple[float, str, FetchRules, Mapping[str, str]]] = []

    async def send(
        self,
        method: str,
        url: str,
        *,
        rules: FetchRules,
        fields: Mapping[str, str] = NO_FIELDS,
        body: bytes | None = None,
    ) -> Response:
        self.asked.append((now(), url, rules, fields))
        if isinstance(self.page, FetchFailed):
            raise self.page
        return Response(self.media_type, self.page.encode())


def fetched(page: str | FetchFailed, wanted: SigningKeys = URL) -> Given:
    return live(fetch_given(wanted, Web(page), resolves({"password": "s3cret"})))


def failure(page: str | FetchFailed, wanted: SigningKeys = URL) -> str:
    with pytest.raises(FetchFailed) as caught:
        fetched(page, wanted)
    return caught.value.cause


# From a file, or a secret.


def test_the_key_of_a_file_signs_under_its_own_name_or_its_thumbprint() -> None:
    assert kids(read(FILE, key=json.dumps(key("a").to_private_jwk()))) == ["a"]
    given = read(FILE, key=key("a").to_private_pem())
    assert kids(given) == [key("a").thumbprint()]
    assert (given.keys[0].alg, given.keys[0].signs("ES256"), given.certificates) == ("ES256", True, {})


def test_a_key_of_a_pem_text_signs() -> None:
    given = read(SigningKeys("main", pem=KeyText(text=key("a").to_private_pem())))
    assert kids(given) == [key("a").thumbprint()]
    assert "cannot be read" in problem(SigningKeys("main", pem=KeyText(text="nonsense")))


def test_the_first_key_that_fits_signs_and_the_others_stand_behind_it() -> None:
    text = jwks(key("public").public(), key("ed", "Ed25519"), key("b"), key("a"))
    assert kids(read(FILE, key=text)) == ["b", "public", "ed", "a"]
    assert kids(read(SigningKeys("main", "Ed25519", file="key"), key=text)) == ["ed", "public", "b", "a"]


def test_a_secret_signs_and_is_not_named_by_its_thumbprint() -> None:
    wanted = SigningKeys("main", "HS256", secret=KeyText(text="an Aeolian harp of 32 bytes or so"))
    (only,) = read(wanted).keys
    assert (only.kid, only.is_symmetric, only.signs("HS256")) == (None, True, True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nonsense", "The key cannot be read."),
        ("{nonsense", "signing keys 'main': "),
        (jwks(key("ed", "Ed25519")), "does not fit the algorithm"),
        (jwks(key("a").public()), "does not fit the algorithm"),
        ('{"keys": []}', "no usable key"),
    ],
)
def test_a_file_without_a_key_that_signs_is_a_mistake(text: str, sentence: str) -> None:
    found = problem(FILE, key=text)
    assert found.startswith("signing keys 'main': ")
    assert sentence in found


def test_a_file_that_is_not_there_is_a_mistake() -> None:
    assert problem(FILE) == "signing keys 'main': The reference ${file:key} cannot be read."


# Certificates.


CERTIFIED = SigningKeys("main", file="key", certificate_file="chain")


def test_the_certificates_of_the_key_are_found_leaf_first() -> None:
    leaf, root = certificate(key("a")), certificate(key("root"), "root")
    given = read(CERTIFIED, key=jwks(key("a")), chain=pem(leaf, root))
    assert given.certificates == {key("a").thumbprint(): (leaf, root)}


def test_each_key_of_a_file_may_have_its_chain() -> None:
    chain = [certificate(key("a")), certificate(key("root"), "root"), certificate(key("b"))]
    given = read(CERTIFIED, key=jwks(key("b"), key("a")), chain=pem(*chain))
    assert given.certificates == {key("a").thumbprint(): tuple(chain[:2]), key("b").thumbprint(): (chain[2],)}


def test_a_certificate_of_another_key_is_a_mistake() -> None:
    for chain in (pem(certificate(key("b"))), pem(certificate(key("b")), certificate(key("a"))), "nonsense"):
        assert "signing keys 'main': The " in problem(CERTIFIED, key=jwks(key("a")), chain=chain)
    assert "must hold the certificate" in problem(
        CERTIFIED, key=jwks(key("a"), key("b")), chain=pem(certificate(key("b")))
    )


# From an address.


def test_a_fetched_set_is_read_leniently() -> None:
    entries = json.loads(jwks(key("public").public(), key("b"), key("secret", "HS256")))["keys"]
    page = json.dumps(
        {"keys": [1, {"kty": "odd"}, {**entries[1], "made_by": "them"}, entries[0], entries[2]], "previous": []}
    )
    assert kids(fetched(page)) == ["b", "public"]


@pytest.mark.parametrize(
    ("page", "cause"),
    [
        (FetchFailed("status_500", status=500), "status_500"),
        ("nonsense", "key_set_malformed"),
        ('{"keys": {}}', "key_set_malformed"),
        (json.dumps({"keys": [{}] * 101}), "key_set_malformed"),
        ('{"keys": []}', "key_unfit"),
        (jwks(key("a").public()), "key_unfit"),
    ],
)
def test_an_answer_without_a_key_that_signs_is_a_failure(page: str | FetchFailed, cause: str) -> None:
    assert failure(page) == cause


def test_the_address_is_asked_within_its_rules_and_with_its_credentials() -> None:
    fetching = Fetching(
        connect_seconds=1, total_seconds=3, ca_file="ca", insecure_http=True, private_addresses_refused=True
    )
    wanted = SigningKeys(
        "main",
        url=ADDRESS,
        username="gate",
        password="${file:password}",
        client_certificate_file="c",
        client_key_file="k",
        fetching=fetching,
    )
    web = Web(jwks(key("a")))
    live(fetch_given(wanted, web, resolves({"password": "s3cret"})))
    ((_, url, rules, fields),) = web.asked
    assert url == ADDRESS
    assert rules == FetchRules(
        connect_seconds=1,
        total_seconds=3,
        ca_file="ca",
        insecure_http=True,
        private_addresses_refused=True,
        client_certificate_file="c",
        client_key_file="k",
    )
    assert fields == {"Authorization": "Basic Z2F0ZTpzM2NyZXQ="}
    live(fetch_given(URL, web, resolves({})))
    assert web.asked[1][3] == {}


def test_an_address_that_never_answers_is_given_up() -> None:
    class Silent(Web):
        async def send(self, method: str, url: str, **_: object) -> Response:  # type: ignore[override]
            await asyncio.sleep(3600)
            raise AssertionError

    with pytest.raises(FetchFailed, match="timeout"):
        live(fetch_given(URL, Silent(), resolves({})))


# Again and again.


def ring(store: Store | None = None, sealer: Sealer | None = None) -> Keyring:
    keyring = Keyring.open(store or MemoryStore(), wall=lambda: NOON, sealer=sealer)
    keyring.ensure(URL)
    return keyring


def external(keyring: Keyring, web: Web, *wanted: SigningKeys, **files: str) -> ExternalSigningKeys:
    return ExternalSigningKeys(wanted, keyring, client=web, resolve=resolves(files))


def test_all_are_read_at_the_start_and_our_own_are_left_alone() -> None:
    keyring, web = ring(), Web(jwks(key("b")))
    named = SigningKeys("file", file="key")
    live(external(keyring, web, URL, SigningKeys("own"), named, key=jwks(key("a"))).start())
    assert {name: signer.key.kid for name, signer in keyring.signers().items()} == {"main": "b", "file": "a"}


def test_every_file_that_cannot_be_used_is_named_at_the_start() -> None:
    with pytest.raises(ConfigError) as caught:
        live(external(ring(), Web(), SigningKeys("x", file="x"), SigningKeys("y", file="y")).start())
    assert [sentence[:18] for sentence in caught.value.problems] == ["signing keys 'x': ", "signing keys 'y': "]


def test_an_address_that_fails_at_the_start_is_asked_again_soon(caplog: pytest.LogCaptureFixture) -> None:
    keyring, web = ring(), Web(FetchFailed("timeout"))

    async def life() -> None:
        keys = external(keyring, web, URL)
        await keys.start()
        assert keyring.signers() == {}
        assert keys.failing == {"main"}
        following = asyncio.create_task(keys.follow())
        await asyncio.sleep(200)
        web.page = jwks(key("b"))
        await asyncio.sleep(MOST_BACK_OFF_SECONDS)
        assert keys.failing == set()
        following.cancel()

    live(life())
    times = [at for at, *_ in web.asked]
    assert times[:8] == [0, 1, 3, 7, 15, 31, 63, 123]
    assert keyring.signer("main").key.kid == "b"
    assert [message[:45] for message in caplog.messages] == [
        "signing keys 'main': they cannot be read anew",
        "signing keys 'main': they can be read again",
    ]


def test_a_set_that_changes_is_followed_and_the_last_good_one_kept() -> None:
    keyring, web = ring(), Web(jwks(key("a")))

    async def life() -> list[str | None]:
        keys = external(keyring, web, URL)
        await keys.start()
        keyring.reload()
        following = asyncio.create_task(keys.follow())
        signing = []
        for page in (jwks(key("b")), "nonsense", jwks(key("c"))):
            web.page = page
            await asyncio.sleep(300 + MOST_BACK_OFF_SECONDS + 1)
            signing.append(keyring.signer("main").key.kid)
        following.cancel()
        return signing

    assert live(life()) == ["b", "b", "c"]
    assert keyring.reload()
    assert {one.kid for one in keyring.published()} == {"a", "b", "c"}


def test_a_file_that_is_broken_later_is_no_end(caplog: pytest.LogCaptureFixture) -> None:
    files = {"key": jwks(key("a"))}
    keyring = ring()

    async def life() -> None:
        keys = ExternalSigningKeys([FILE], keyring, client=Web(), resolve=resolves(files))
        await keys.start()
        files["key"] = "half a k"
        following = asyncio.create_task(keys.follow())
        await asyncio.sleep(1000)
        following.cancel()

    live(life())
    assert keyring.signer("main").key.kid == "a"
    assert len(caplog.messages) == 1


def test_sec_150_a_start_while_the_address_is_down_goes_on_with_the_keys_that_were_sealed() -> None:
    store, sealer = MemoryStore(), Sealer(b"m" * 32)
    live(external(ring(store, sealer), Web(jwks(key("a"))), URL).start())
    again = ring(store, sealer)
    live(external(again, Web(FetchFailed("timeout")), URL).start())
    assert again.signer("main").key.kid == "a"


def test_what_is_not_foreseen_at_the_start_is_not_hidden() -> None:
    class Broken(Web):
        async def send(self, method: str, url: str, **_: object) -> Response:  # type: ignore[override]
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        live(external(ring(), Broken(), URL).start())


def test_of_a_set_in_the_document_the_first_that_fits_signs_and_all_pairs_are_shown() -> None:
    first, second, other = key("a"), key("b"), key("c", "EdDSA")
    secret = generate_key("HS256", kid="s")
    text = jwks(secret, other, first, second)
    given = read(SigningKeys("main", "ES256", jwks=KeyText(text=text)))
    assert [held.kid for held in given.keys] == ["a", "c", "b"]
    assert given.keys[0].signs("ES256")
    macs = read(SigningKeys("main", "HS256", jwks=KeyText(text=text)))
    assert [held.kid for held in macs.keys] == ["s", "c", "a", "b"]
    one = SigningKeys("main", "ES256", jwks=KeyText(text=json.dumps(first.to_private_jwk())))
    assert [held.kid for held in read(one).keys] == ["a"]


@pytest.mark.parametrize("signs", ["ES256", "HS256"])
def test_sec_29_pairs_of_a_set_in_the_document_are_shown_whatever_signs_and_a_secret_never(signs: str) -> None:
    keyring = Keyring.open(MemoryStore(), wall=lambda: NOON)
    text = jwks(generate_key("HS256", kid="s"), key("a"), key("b"))
    for name, alg, published in (("es", "ES256", signs == "ES256"), ("hs", "HS256", signs == "HS256")):
        wanted = SigningKeys(name, alg, jwks=KeyText(text=text), published=published)
        keyring.ensure(wanted)
        keyring.take(wanted, read(wanted))
    assert (keyring.signer("es").key.kid, keyring.signer("hs").key.kid) == ("a", "s")
    shown = keyring.to_jwks()["keys"]
    assert isinstance(shown, list)
    assert [each["kid"] for each in shown] == ["a", "b"]
    assert all(each.keys().isdisjoint({"d", "k"}) for each in shown)


@pytest.mark.parametrize(
    "text", ["[]", '{"keys": []}', '{"keys": [7]}', jwks(key("a").public()), jwks(key("c", "EdDSA"))]
)
def test_a_set_in_the_document_without_a_key_to_sign_with_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="signing keys 'main'"):
        read(SigningKeys("main", "ES256", jwks=KeyText(text=text)))
