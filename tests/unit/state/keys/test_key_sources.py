from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import base64url_encode, json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.sources import Fetching, KeySource, KeyText
from jwtgate.state.http_client import NO_FIELDS, FetchFailed, FetchRules, HttpClient, Response
from jwtgate.state.keys.key_sources import fetch_keys, is_remote, parse_fetched, read_local
from jwtgate.state.secrets.references import Secrets

from ..virtual_time import live

ISS = "https://idp.example/realm"
CONFIGURATION = f"{ISS}/.well-known/openid-configuration"
SERVER = "https://idp.example/.well-known/oauth-authorization-server/realm"
JWKS = "https://idp.example/keys"
SECRET = "an Aeolian harp of 32 bytes or so"
DISCOVERED = KeySource("main", ISS, frozenset({"ES256"}), discovery="")
DIRECT = KeySource("main", ISS, frozenset({"ES256"}), url=JWKS)


def key(alg: str = "ES256") -> Key:
    return _key(alg)


@functools.cache
def _key(alg: str) -> Key:
    return generate_key(alg, kid="k1")


@functools.cache
def jwks() -> bytes:
    return json_bytes(KeySet([key()]).to_jwks())


def metadata(issuer: str = ISS, **members: object) -> bytes:
    return json_bytes({"issuer": issuer, "jwks_uri": JWKS, **members})


class Web(HttpClient):
    """A web of a few pages; everything else is 404."""

    def __init__(self, pages: Mapping[str, bytes | FetchFailed], media_type: str = "application/json") -> None:
        self.pages = pages
        self.media_type = media_type
        self.asked: list[tuple[str, FetchRules]] = []

    async def send(self, method: str, url: str, *, rules: FetchRules, **_: object) -> Response:
        self.asked.append((url, rules))
        page = self.pages.get(url, FetchFailed("status_404", status=404))
        if isinstance(page, FetchFailed):
            raise page
        return Response(self.media_type, page)


def fetched(source: KeySource, web: HttpClient) -> list[str | None]:
    return [held.kid for held in live(fetch_keys(source, web, str)).key_set]


def failure(source: KeySource, web: HttpClient) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        live(fetch_keys(source, web, str))
    return caught.value


def local(*texts: KeyText, algorithms: frozenset[str] = frozenset({"ES256"})) -> KeySet:
    return read_local(KeySource("main", ISS, algorithms, local=texts), lambda text: text)


def problems(*texts: KeyText, algorithms: frozenset[str] = frozenset({"ES256"})) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        local(*texts, algorithms=algorithms)
    return caught.value.problems


def test_a_source_is_remote_when_it_has_an_address() -> None:
    assert is_remote(DIRECT)
    assert is_remote(DISCOVERED)
    assert not is_remote(KeySource("main", ISS, frozenset({"ES256"}), local=(KeyText(text="x"),)))


@pytest.mark.parametrize(
    "text",
    [
        key().to_pem(),
        key().to_private_pem(),
        json_bytes(key().to_jwk()).decode(),
        json_bytes(key().to_private_jwk()).decode(),
        jwks().decode(),
    ],
)
def test_a_local_key_may_be_written_in_many_ways_and_only_its_public_half_is_kept(text: str) -> None:
    (held,) = local(KeyText(text=text))
    assert held.thumbprint() == key().thumbprint()
    assert (held.is_private, held.alg) == (False, "ES256")


def test_a_local_key_takes_the_kid_and_alg_the_document_gives() -> None:
    for text in (key().to_pem(), json_bytes(key().to_jwk()).decode()):
        (held,) = local(KeyText(text=text, kid="mine", alg="ES256"))
        assert (held.kid, held.alg) == ("mine", "ES256")


def test_a_local_key_file_is_a_reference_like_any_other() -> None:
    source = KeySource("main", ISS, frozenset({"ES256"}), local=(KeyText(file="keys/main.pem"),))
    assert len(read_local(source, {"${file:keys/main.pem}": key().to_pem()}.__getitem__)) == 1


def test_a_local_secret_is_bound_to_its_mac() -> None:
    algorithms = frozenset({"HS256"})
    (plain,) = local(KeyText(text=SECRET, alg="HS256", kid="s1"), algorithms=algorithms)
    encoded = base64url_encode(SECRET.encode())
    (decoded,) = local(KeyText(text=encoded, alg="HS256", base64url=True), algorithms=algorithms)
    assert plain.thumbprint() == decoded.thumbprint()
    assert (plain.kid, plain.alg) == ("s1", "HS256")


def test_sec_22_a_short_secret_needs_the_long_name() -> None:
    short = KeyText(text="not long enough", alg="HS256")
    algorithms = frozenset({"HS256"})
    assert "too short" in problems(short, algorithms=algorithms)[0]
    assert len(local(replace(short, short_secret_allowed_for_legacy_credential=True), algorithms=algorithms)) == 1


def test_every_bad_local_key_is_named_and_none_is_quoted() -> None:
    texts = (KeyText(text="rubbish"), KeyText(text=key().to_pem()), KeyText(text='{"rubbish'), KeyText())
    sentences = problems(*texts)
    assert [sentence.split(":")[0] for sentence in sentences] == [f"issuer 'main', key {n}" for n in (1, 3, 4)]
    assert "rubbish" not in "".join(sentences)


def test_a_bad_key_in_a_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "k.pem").write_text("rubbish")
    source = KeySource("main", ISS, frozenset({"ES256"}), local=(KeyText(file=str(tmp_path / "k.pem")),))
    with pytest.raises(ConfigError, match=rf"issuer 'main', key 1 \(file {tmp_path}/k\.pem\): The key cannot be read"):
        read_local(source, Secrets(tmp_path, {}).resolve)


def test_a_reference_that_leads_nowhere_tells_which_key_it_was_for() -> None:
    def resolve(_: str) -> str:
        raise ConfigError("The reference leads nowhere.")

    source = KeySource("main", ISS, frozenset({"ES256"}), local=(KeyText(text="${env:X}"),))
    with pytest.raises(ConfigError, match="issuer 'main', key 1: The reference leads nowhere"):
        read_local(source, resolve)


def test_sec_20_a_local_key_that_fits_no_algorithm_is_refused() -> None:
    assert "does not fit" in problems(KeyText(text=key("Ed25519").to_pem()))[0]


def test_a_set_is_fetched_from_its_address() -> None:
    web = Web({JWKS: jwks()})
    assert fetched(DIRECT, web) == ["k1"]
    assert [url for url, _ in web.asked] == [JWKS]


def test_the_rules_of_the_source_hold_for_every_fetch() -> None:
    fetching = Fetching(1, 3, ca_file="ca.pem", insecure_http=True, private_addresses_refused=True)
    source = replace(DISCOVERED, fetching=fetching)
    web = Web({CONFIGURATION: metadata(), JWKS: jwks()})
    fetched(source, web)
    rules = FetchRules(1, 3, ca_file="ca.pem", insecure_http=True, private_addresses_refused=True)
    assert web.asked == [(CONFIGURATION, rules), (JWKS, rules)]


@pytest.mark.parametrize("place", [CONFIGURATION, SERVER])
def test_sec_62_metadata_is_found_at_either_usual_place(place: str) -> None:
    assert fetched(DISCOVERED, Web({place: metadata(), JWKS: jwks()})) == ["k1"]


def test_a_given_metadata_address_is_the_only_one_asked() -> None:
    web = Web({CONFIGURATION: metadata(), JWKS: jwks()})
    assert failure(replace(DISCOVERED, discovery="https://idp.example/meta"), web).cause == "status_404"
    assert len(web.asked) == 1


def test_the_second_place_is_not_asked_when_the_first_is_out_of_reach() -> None:
    web = Web({CONFIGURATION: FetchFailed("timeout"), SERVER: metadata(), JWKS: jwks()})
    assert failure(DISCOVERED, web).cause == "timeout"


@pytest.mark.parametrize("issuer", [ISS + "/", ISS.upper(), "https://idp.example", ""])
def test_sec_62_metadata_of_another_issuer_is_refused(issuer: str) -> None:
    refused = failure(DISCOVERED, Web({CONFIGURATION: metadata(issuer), JWKS: jwks()}))
    assert refused.cause == "metadata_refused"
    assert "another issuer" in refused.detail


def test_metadata_without_a_jwks_uri_is_refused() -> None:
    web = Web({CONFIGURATION: json_bytes({"issuer": ISS})})
    assert failure(DISCOVERED, web).cause == "metadata_refused"


def test_sec_62_a_jwks_uri_on_a_host_nobody_named_is_refused() -> None:
    elsewhere = "https://www.keys.example/certs"
    web = Web({CONFIGURATION: metadata(jwks_uri=elsewhere), elsewhere: jwks()})
    refused = failure(DISCOVERED, web)
    assert (refused.cause, refused.detail) == ("host_not_allowed", "www.keys.example")
    assert elsewhere not in [url for url, _ in web.asked]
    assert fetched(replace(DISCOVERED, fetching=Fetching(allowed_hosts=frozenset({"www.keys.example"}))), web) == ["k1"]


def test_discovery_of_an_issuer_that_is_no_address_fails() -> None:
    assert failure(replace(DISCOVERED, iss="main"), Web({})).cause == "address_malformed"


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/jwk-set+json", "text/plain", "application/octet-stream", ""]
)
def test_sec_64_the_media_type_of_a_set_is_looked_at_leniently(media_type: str) -> None:
    assert fetched(DIRECT, Web({JWKS: jwks()}, media_type)) == ["k1"]


def test_sec_64_a_page_for_people_is_not_a_set() -> None:
    assert failure(DIRECT, Web({JWKS: jwks()}, "text/html")).cause == "not_json"


def test_unless_the_document_says_that_it_may_call_itself_so() -> None:
    lenient = replace(DIRECT, any_media_type=True)
    assert fetched(lenient, Web({JWKS: jwks()}, "text/html")) == ["k1"]
    assert failure(lenient, Web({JWKS: b"<p>Sign in</p>"}, "text/html")).cause == "key_set_malformed"


def test_sec_64_discovery_and_set_share_one_time_limit() -> None:
    class Slow(Web):
        async def send(self, method: str, url: str, *, rules: FetchRules, **_: object) -> Response:
            await asyncio.sleep(3)
            return await super().send(method, url, rules=rules)

    pages = {CONFIGURATION: metadata(), JWKS: jwks()}
    assert failure(DISCOVERED, Slow(pages)).cause == "timeout"
    assert fetched(DIRECT, Slow(pages)) == ["k1"]


def test_sec_32_entries_that_cannot_be_used_are_counted_and_cost_the_others_nothing() -> None:
    entries = [key().to_jwk(), {"kty": "odd"}, 7, key("Ed25519").to_jwk()]
    result = parse_fetched(DIRECT, json_bytes({"keys": entries}))
    assert ([held.alg for held in result.key_set], result.skipped) == (["ES256"], 3)


def test_sec_66_an_empty_set_is_a_failure_unless_it_is_allowed() -> None:
    with pytest.raises(FetchFailed):
        parse_fetched(DIRECT, b'{"keys":[]}')
    assert len(parse_fetched(replace(DIRECT, empty_set_allowed=True), b'{"keys":[]}').key_set) == 0


def test_an_allowed_empty_set_is_not_a_set_of_useless_keys() -> None:
    allowed = replace(DIRECT, empty_set_allowed=True)
    for entries in ([{"kty": "odd"}], [key("Ed25519").to_jwk()]):
        with pytest.raises(FetchFailed) as caught:
            parse_fetched(allowed, json_bytes({"keys": entries}))
        assert caught.value.cause == "key_set_empty"


def test_all_may_be_left_out_of_a_set_where_the_document_says_both() -> None:
    both = replace(DIRECT, empty_set_allowed=True, unusable_skipped=True)
    for body, left_out in (
        (json_bytes({"keys": [{"kty": "odd"}, 7]}), 2),
        (json_bytes({"keys": [key("Ed25519").to_jwk()]}), 1),
        (b'{"keys":[]}', 0),
        (b"{}", 0),
    ):
        found = parse_fetched(both, body)
        assert (len(found.key_set), found.key_set.left_out, found.skipped) == (0, left_out, left_out)
        assert found.key_set.is_blank is (left_out == 0)
        local = read_local(replace(both, url=None, local=(KeyText(text=body.decode()),)), str)
        assert (len(local), local.left_out) == (0, left_out)
    for body in (b"[]", b'{"keys":1}', b"no set"):
        with pytest.raises(FetchFailed):
            parse_fetched(both, body)
    with pytest.raises(FetchFailed):
        parse_fetched(replace(both, unusable_skipped=False), b"{}")


def test_an_address_of_ours_learns_who_asks_and_one_that_was_discovered_does_not() -> None:
    class Watched(Web):
        async def send(
            self, method: str, url: str, *, rules: FetchRules, fields: Mapping[str, str] = NO_FIELDS, **_: object
        ) -> Response:
            sent.append((url, dict(fields), rules.client_certificate_file, rules.client_key_file))
            return await super().send(method, url, rules=rules)

    sent: list[tuple[str, dict[str, str], str | None, str | None]] = []
    known = {"username": "gate", "password": "${env:P}", "client_certificate_file": "c", "client_key_file": "k"}
    web = Watched({JWKS: jwks(), CONFIGURATION: metadata()})
    live(fetch_keys(replace(DIRECT, **known), web, lambda text: text.replace("${env:P}", "s3cret")))
    live(fetch_keys(replace(DISCOVERED, **known), web, str))
    assert sent[0] == (JWKS, {"Authorization": "Basic Z2F0ZTpzM2NyZXQ="}, "c", "k")
    assert [asked[1:] for asked in sent[1:]] == [({}, None, None)] * (len(sent) - 1)
    assert len(sent) == 3


def test_a_password_that_cannot_be_had_is_a_failure_and_is_not_sent_as_its_reference() -> None:
    def missing(_: str) -> str:
        raise ConfigError("The reference ${env:P} names an environment variable that is not set.")

    web = Web({JWKS: jwks()})
    with pytest.raises(FetchFailed, match="secret_missing"):
        live(fetch_keys(replace(DIRECT, username="gate", password="${env:P}"), web, missing))
    assert web.asked == []


def a_set(*entries: dict[str, object]) -> bytes:
    return json_bytes({"keys": list(entries)})


def entry(kid: str | None, alg: str = "ES256", **more: object) -> dict[str, object]:
    return {**key(alg).public().to_jwk(), "kid": kid, **more} if kid else {**key(alg).public().to_jwk(), **more}


def test_a_key_must_say_that_it_is_for_signatures_where_the_document_wants_it() -> None:
    source = replace(DIRECT, use_required=True)
    found = parse_fetched(source, a_set(entry("a"), entry("b", use="sig"), entry("c", use="enc")))
    assert ([each.kid for each in found.key_set], found.skipped) == (["b"], 2)
    with pytest.raises(FetchFailed) as caught:
        parse_fetched(replace(source, empty_set_allowed=True), a_set(entry("a")))
    assert (caught.value.cause, caught.value.status) == ("key_set_empty", 200)


def test_a_key_that_names_no_algorithm_serves_every_one_where_the_document_says_so() -> None:
    algorithms = frozenset({"RS256", "RS384", "ES256"})
    rsa = {name: value for name, value in entry("r", "RS256").items() if name != "alg"}
    strict = parse_fetched(replace(DIRECT, algorithms=algorithms), a_set(entry("a"), rsa))
    assert ([each.kid for each in strict.key_set], strict.skipped) == (["a"], 1)
    source = replace(DIRECT, algorithms=algorithms, serves_every_algorithm=True)
    found = parse_fetched(source, a_set(entry("a"), rsa))
    assert ([each.kid for each in found.key_set], found.skipped) == (["a", "r"], 0)


def test_the_first_of_a_kid_is_meant_where_the_document_says_so() -> None:
    other = {**generate_key("ES256").public().to_jwk(), "kid": "a"}
    body = a_set(entry("a"), other)
    with pytest.raises(FetchFailed, match="key_set_contradicts"):
        parse_fetched(DIRECT, body)
    found = parse_fetched(replace(DIRECT, first_of_a_kid=True), body)
    assert [each.thumbprint() for each in found.key_set] == [key().thumbprint()]
    assert found.skipped == 1


def test_useless_keys_of_a_set_of_ours_are_left_out_where_the_document_says_so() -> None:
    text = KeyText(text=a_set(entry("a"), {"kty": "oct", "k": "AAAA"}, entry("b", use="enc")).decode())
    source = replace(DIRECT, url=None, local=(text,))
    with pytest.raises(ConfigError):
        read_local(source, str)
    assert [each.kid for each in read_local(replace(source, unusable_skipped=True), str)] == ["a"]
    with pytest.raises(ConfigError):
        read_local(replace(source, unusable_skipped=True, algorithms=frozenset({"RS256"})), str)


def test_what_the_document_means_of_a_set_holds_for_one_of_ours() -> None:
    text = KeyText(text=a_set(entry("a"), entry("b", use="sig")).decode())
    source = replace(DIRECT, url=None, local=(text,), use_required=True)
    assert [each.kid for each in read_local(source, str)] == ["b"]


def test_fields_of_ours_go_to_the_address_and_are_resolved() -> None:
    sent: list[Mapping[str, str]] = []

    class Noting(HttpClient):
        async def send(self, method: str, url: str, *, fields: Mapping[str, str] = NO_FIELDS, **_: object) -> Response:
            sent.append(fields)
            return Response("application/json", jwks())

    source = replace(DIRECT, username="u", password="p", fields=(("x-probe", "${a}"),))
    live(fetch_keys(source, Noting(), lambda text: text.removeprefix("${").removesuffix("}")))
    assert sent == [{"Authorization": "Basic dTpw", "x-probe": "a"}]


@pytest.mark.parametrize(
    ("page", "media_type", "status"),
    [
        (FetchFailed("status_404", status=404), "application/json", 404),
        (FetchFailed("refused"), "application/json", None),
        (b"nothing", "application/json", 200),
        (b"{}", "application/json", 200),
        (b"{}", "text/html", 200),
    ],
)
def test_a_failure_tells_the_status_of_the_answer(
    page: bytes | FetchFailed, media_type: str, status: int | None
) -> None:
    assert failure(DIRECT, Web({JWKS: page}, media_type)).status == status
