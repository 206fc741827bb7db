from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import JSON, base64url_decode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.signature import verify_bytes
from jwtgate.jose.token import UnverifiedToken, VerifiedToken
from jwtgate.policy.facts import IssuedToken, NeedIssuedToken
from jwtgate.policy.provisions import Encoding, Issue, IssuedHeader, Lifetime, Writing
from jwtgate.state.issued_tokens import MOST_KINDS, MOST_LIFE_SECONDS, IssuedTokens, longest_life_seconds, random_id
from jwtgate.state.keys.keyring import Signer

NOW = 1_800_000_000
ISSUE = Issue("upstream", "access", "main", "https://gw.example", ("orders",), ttl_seconds=300)
ONCE = Issue("upstream", "access", "main", "https://gw.example", ("orders",), ttl_seconds=300, reuse=False)
FOLLOWS = replace(ISSUE, lifetime=Lifetime.INCOMING)
CHAIN = (b"the leaf, as DER", b"the one that signed it")
CLAIMS: Mapping[str, JSON] = MappingProxyType({"sub": "ada", "iss": "https://gw.example", "aud": "orders"})


def key(alg: str = "ES256") -> Key:
    return _key(alg)


@functools.cache
def _key(alg: str) -> Key:
    return generate_key(alg, kid="k1").bound_to(alg)


def tokens(alg: str = "ES256", *, most_entries: int = 100, most_bytes: int = 10**6) -> IssuedTokens:
    return IssuedTokens({"main": Signer(key(alg), alg, CHAIN)}, most_entries=most_entries, most_bytes=most_bytes)


def need(
    issue: Issue = ISSUE, *, not_after: int | None = None, incoming_exp: int | None = None, **claims: JSON
) -> NeedIssuedToken:
    return NeedIssuedToken(issue, {**CLAIMS, **claims}, not_after, incoming_exp)


def decoded(text: JSON) -> bytes:
    assert isinstance(text, str)
    return base64url_decode(text)


KEYS_OF_JOSERFC: Mapping[str, Callable[[Key], Any]] = {
    "oct": lambda key: OctKey.import_key(key.to_private_jwk()),
    "EC": lambda key: ECKey.import_key(key.to_jwk()),
    "RSA": lambda key: RSAKey.import_key(key.to_jwk()),
}


def exp(issue: Issue, *, not_after: int | None = None, incoming_exp: int | None = None) -> object:
    return read(tokens().issue(need(issue, not_after=not_after, incoming_exp=incoming_exp), NOW)).claims["exp"]


def header(**wanted: Any) -> Mapping[str, JSON]:
    return read(tokens().issue(need(replace(ISSUE, header=IssuedHeader(**wanted))), NOW)).header


def claims(text: str) -> dict[str, Any]:
    """Its claims, whatever its form."""
    read: dict[str, Any] = json.loads(base64url_decode(text.split(".")[1]))
    return read


def fault(need: NeedIssuedToken, signer: IssuedTokens | None = None) -> DependencyFault:
    with pytest.raises(DependencyFault) as caught:
        (signer or tokens()).issue(need, NOW)
    assert caught.value.reason == "signer_unavailable"
    return caught.value


def read(token: IssuedToken, alg: str = "ES256") -> VerifiedToken:
    return UnverifiedToken.parse(token.text).verify((key(alg).public(),), {alg})


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "Ed25519", "ML-DSA-44"])
def test_sec_156_a_token_carries_all_it_must_and_verifies(alg: str) -> None:
    token = read(tokens(alg).issue(need(), NOW), alg)
    assert token.header == {"alg": alg, "kid": "k1", "typ": "JWT"}
    ours = {"iat": NOW, "exp": NOW + 300, "jti": token.claims["jti"]}
    assert token.claims == {**CLAIMS, **ours}


def test_the_type_is_the_one_the_document_gives() -> None:
    issue = Issue("upstream", "access", "main", "https://gw.example", (), typ="at+jwt")
    assert read(tokens().issue(need(issue), NOW)).typ == "at+jwt"


def test_claims_that_are_not_ascii_survive() -> None:
    assert read(tokens().issue(need(name='Zoë "Z" \\ 😀'), NOW)).claims["name"] == 'Zoë "Z" \\ 😀'


def test_a_token_may_have_no_claims_but_ours() -> None:
    assert set(read(tokens().issue(NeedIssuedToken(ISSUE, {}, None), NOW)).claims) == {"iat", "exp", "jti"}


def test_sec_158_the_signers_claims_are_never_taken_over() -> None:
    token = read(tokens().issue(need(iat=1, exp=9_999_999_999, jti="mine"), NOW))
    assert (token.claims["iat"], token.claims["exp"]) == (NOW, NOW + 300)
    assert token.claims["jti"] != "mine"


def test_sec_157_a_token_ends_no_later_than_it_may() -> None:
    assert read(tokens().issue(need(not_after=NOW + 10), NOW)).claims["exp"] == NOW + 10
    assert read(tokens().issue(need(not_after=NOW + 1000), NOW)).claims["exp"] == NOW + 300


@pytest.mark.parametrize("not_after", [NOW, NOW - 1, 0])
def test_a_token_whose_life_would_be_over_is_a_fault(not_after: int) -> None:
    with pytest.raises(DependencyFault) as caught:
        tokens().issue(need(not_after=not_after), NOW)
    assert caught.value.reason == "signer_unavailable"


def test_a_key_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(DependencyFault) as caught:
        IssuedTokens({}).issue(need(), NOW)
    assert caught.value.reason == "signer_unavailable"


def test_a_key_that_cannot_sign_is_a_fault() -> None:
    with pytest.raises(DependencyFault) as caught:
        IssuedTokens({"main": Signer(key().public(), "ES256")}).issue(need(), NOW)
    assert caught.value.reason == "signer_unavailable"


def test_claims_without_a_json_form_are_a_fault() -> None:
    with pytest.raises(DependencyFault):
        tokens().issue(need(name="\ud800"), NOW)


def test_a_token_is_handed_out_again_for_three_quarters_of_its_life() -> None:
    signer = tokens()
    first = signer.issue(need(), NOW)
    assert first.reuse_until == NOW + 225
    assert signer.issue(need(), NOW + 224) is first
    assert signer.issue(need(), NOW + 225) is not first


def test_a_token_that_lives_a_second_is_not_handed_out_again() -> None:
    signer = tokens()
    first = signer.issue(need(not_after=NOW + 1), NOW)
    assert first.reuse_until == NOW
    assert signer.issue(need(not_after=NOW + 1), NOW) is not first


def test_rel_81_a_clock_set_back_does_not_hand_out_a_token_of_the_future() -> None:
    signer = tokens()
    signer.issue(need(), NOW)
    assert read(signer.issue(need(), NOW - 100)).claims["iat"] == NOW - 100


def test_tokens_that_are_not_to_be_reused_are_all_different() -> None:
    signer = tokens()
    issued = [signer.issue(need(ONCE), NOW) for _ in range(50)]
    assert len({read(token).claims["jti"] for token in issued}) == 50
    assert {token.reuse_until for token in issued} == {NOW}


@pytest.mark.parametrize(
    "other",
    [
        need(sub="bob"),
        need(extra=None),
        need(not_after=NOW + 299),
        need(Issue("upstream", "access", "other", "https://gw.example", (), ttl_seconds=300)),
        need(Issue("upstream", "access", "main", "https://gw.example", (), ttl_seconds=299)),
        need(Issue("upstream", "access", "main", "https://gw.example", (), ttl_seconds=300, typ="at+jwt")),
        need(replace(ISSUE, header=IssuedHeader(kid=False))),
        need(replace(ISSUE, header=IssuedHeader(extra=(("cty", "text"),)))),
        need(replace(ISSUE, writing=Writing(Encoding.BASE64))),
        need(replace(ISSUE, lifetime=Lifetime.INCOMING)),
        need(replace(ISSUE, writing=Writing(exp_in_milliseconds=True))),
        need(replace(ISSUE, omitted=frozenset({"jti"}))),
        need(replace(ISSUE, reuse_margin_seconds=5)),
    ],
)
def test_whatever_makes_a_token_different_makes_another_token(other: NeedIssuedToken) -> None:
    signer = IssuedTokens({"main": Signer(key(), "ES256"), "other": Signer(key("Ed25519"), "Ed25519")})
    assert signer.issue(need(), NOW) is not signer.issue(other, NOW)


def test_descriptions_that_differ_in_nothing_a_token_shows_share_their_tokens() -> None:
    signer = tokens()
    elsewhere = replace(ISSUE, name="another/0", field=b"Authorization", prefix="Bearer ")
    assert signer.issue(need(), NOW) is signer.issue(need(elsewhere), NOW)


def test_tokens_that_end_with_incoming_ones_of_another_end_are_others() -> None:
    signer = tokens()
    first = signer.issue(need(FOLLOWS, incoming_exp=NOW + 60), NOW)
    assert signer.issue(need(FOLLOWS, incoming_exp=NOW + 60), NOW) is first
    assert signer.issue(need(FOLLOWS, incoming_exp=NOW + 61), NOW) is not first


def test_a_description_that_has_gone_is_not_taken_for_one_made_in_its_place() -> None:
    signer = tokens()
    types = [read(signer.issue(need(replace(ISSUE, typ=f"t{number}")), NOW)).typ for number in range(200)]
    assert types == [f"t{number}" for number in range(200)]


def test_rel_18_remembered_descriptions_are_bounded_in_number() -> None:
    signer = tokens()
    for number in range(MOST_KINDS + 10):
        signer._prepare(replace(ISSUE, ttl_seconds=number))
    assert len(signer._kinds) == len(signer._numbers) == 10


@pytest.mark.parametrize(("margin", "until"), [(0, NOW + 300), (5, NOW + 295), (300, NOW), (900, NOW)])
def test_a_token_is_handed_out_until_its_margin(margin: int, until: int) -> None:
    signer = tokens()
    wanted = need(replace(ISSUE, reuse_margin_seconds=margin))
    first = signer.issue(wanted, NOW)
    assert first.reuse_until == until
    assert (signer.issue(wanted, max(NOW, until - 1)) is first) == (until > NOW)
    assert signer.issue(wanted, until) is not first


@pytest.mark.parametrize(("incoming_exp", "shift", "ends"), [
    (NOW + 60, 0, NOW + 60),
    (NOW + 3600, -60, NOW + 3540),
    (NOW + 60, 30, NOW + 90),
    (None, 30, NOW + 300),
])  # fmt: skip
def test_a_token_ends_as_its_incoming_one_does_shifted(incoming_exp: int | None, shift: int, ends: int) -> None:
    assert exp(replace(FOLLOWS, exp_shift_seconds=shift), incoming_exp=incoming_exp) == ends


def test_sec_157_a_shift_does_not_lead_past_the_end_of_the_incoming_token() -> None:
    shifted = replace(FOLLOWS, exp_shift_seconds=60)
    assert exp(shifted, incoming_exp=NOW + 60, not_after=NOW + 60) == NOW + 60
    assert exp(shifted, incoming_exp=NOW + 60) == NOW + 120


def test_an_incoming_token_that_lives_on_leeway_passes_it_on_and_no_more() -> None:
    assert exp(FOLLOWS, incoming_exp=NOW - 5, not_after=NOW + 25) == NOW + 25
    fault(need(replace(FOLLOWS, may_outlive_incoming_token=True), incoming_exp=NOW - 5))
    fault(need(replace(FOLLOWS, exp_shift_seconds=-60), incoming_exp=NOW + 60, not_after=NOW + 60))


def test_sec_42_a_token_that_ends_with_its_incoming_one_lives_no_longer_than_a_day() -> None:
    for_ever = NOW + 10 * 365 * 86400
    assert exp(FOLLOWS, incoming_exp=for_ever) == NOW + MOST_LIFE_SECONDS
    assert exp(FOLLOWS, incoming_exp=for_ever, not_after=for_ever) == NOW + MOST_LIFE_SECONDS


def test_an_exp_nobody_looked_at_is_passed_on_also_where_it_has_passed() -> None:
    issued = tokens()
    first, second = (
        issued.issue(need(FOLLOWS, incoming_exp=NOW - 5), NOW),
        issued.issue(need(FOLLOWS, incoming_exp=NOW - 5), NOW),
    )
    assert read(first).claims["exp"] == NOW - 5
    assert first.text != second.text
    assert first.reuse_until == NOW
    fault(need(replace(FOLLOWS, exp_shift_seconds=-60), incoming_exp=NOW + 5))


REGISTERED = replace(FOLLOWS, copy_all=True, copy_registered=True)


def test_registered_claims_that_were_taken_over_are_nobody_s_but_for_exp() -> None:
    incoming: dict[str, JSON] = {"iat": 5, "nbf": 6, "jti": "theirs", "exp": 7}
    claims = read(tokens().issue(need(REGISTERED, incoming_exp=NOW + 9, **incoming), NOW)).claims
    assert claims == {**CLAIMS, "iat": 5, "nbf": 6, "jti": "theirs", "exp": NOW + 9}
    assert read(tokens().issue(need(REGISTERED, incoming_exp=NOW + 9), NOW)).claims == {**CLAIMS, "exp": NOW + 9}


@pytest.mark.parametrize("shift", [-60, 0, 60])
@pytest.mark.parametrize("incoming_exp", [NOW - 86400, NOW, NOW + 30, NOW + 10 * 366 * 86400])
def test_exp_beside_registered_claims_is_the_incoming_one_shifted_whatever_it_is(shift: int, incoming_exp: int) -> None:
    issue = replace(REGISTERED, exp_shift_seconds=shift, may_outlive_incoming_token=True)
    assert exp(issue, incoming_exp=incoming_exp) == incoming_exp + shift
    assert exp(issue, incoming_exp=incoming_exp, not_after=NOW + 20) == incoming_exp + shift


@pytest.mark.parametrize(("incoming_exp", "end"), [(NOW + 90, NOW + 20), (NOW + 20, NOW + 20), (NOW - 9, NOW - 9)])
def test_sec_157_exp_beside_registered_claims_is_never_later_than_what_is_known_of_the_token(
    incoming_exp: int, end: int
) -> None:
    assert exp(REGISTERED, incoming_exp=incoming_exp, not_after=NOW + 20) == end
    assert exp(REGISTERED, incoming_exp=incoming_exp) == incoming_exp


@pytest.mark.parametrize("margin", [None, 0, 10])
def test_a_token_that_was_shifted_is_never_handed_out_beyond_its_end(margin: int | None) -> None:
    issued, issue = tokens(), replace(REGISTERED, exp_shift_seconds=-60, reuse_margin_seconds=margin)
    asked = need(issue, incoming_exp=NOW + 160)
    first = issued.issue(asked, NOW)
    assert issued.issue(asked, NOW + 1).text == first.text
    assert NOW < first.reuse_until <= NOW + 100
    assert issued.issue(asked, first.reuse_until).text != first.text


def test_there_is_no_end_where_the_incoming_token_has_none_and_the_document_says_so() -> None:
    issue, issued = replace(FOLLOWS, exp_optional=True), tokens()
    endless = issued.issue(need(issue, not_after=NOW + 20), NOW)
    assert read(endless).claims.keys() == {*CLAIMS, "iat", "jti"}
    assert endless.reuse_until == NOW + 225
    assert issued.issue(need(issue, not_after=NOW + 20), NOW + 1).text == endless.text
    assert exp(issue, incoming_exp=NOW + 30) == NOW + 30
    assert exp(replace(issue, copy_registered=True), incoming_exp=NOW + 30) == NOW + 30


def test_a_token_may_have_nothing_of_ours() -> None:
    issue = replace(REGISTERED, exp_optional=True)
    assert read(tokens().issue(NeedIssuedToken(issue, {"sub": "a"}, None), NOW)).claims == {"sub": "a"}
    assert read(tokens().issue(NeedIssuedToken(issue, {}, None), NOW)).claims == {}
    assert read(tokens().issue(NeedIssuedToken(issue, {}, None, NOW + 5), NOW)).claims == {"exp": NOW + 5}


def test_a_life_the_document_gives_is_as_long_as_it_says() -> None:
    assert exp(replace(ISSUE, ttl_seconds=7 * 86400)) == NOW + 7 * 86400
    assert exp(replace(FOLLOWS, ttl_seconds=7 * 86400)) == NOW + 7 * 86400


def test_the_longest_life_is_the_one_that_can_come_about() -> None:
    assert longest_life_seconds(ISSUE) == 300
    assert longest_life_seconds(replace(ISSUE, ttl_seconds=7 * 86400)) == 7 * 86400
    assert longest_life_seconds(FOLLOWS) == MOST_LIFE_SECONDS
    assert longest_life_seconds(replace(FOLLOWS, ttl_seconds=7 * 86400)) == 7 * 86400


def test_an_end_in_milliseconds_is_for_those_who_want_it() -> None:
    assert exp(replace(ISSUE, writing=Writing(exp_in_milliseconds=True))) == (NOW + 300) * 1000


def test_iat_and_jti_can_be_left_out_and_exp_never() -> None:
    issue = replace(ISSUE, omitted=frozenset({"iat", "exp", "jti"}))
    assert read(tokens().issue(need(issue), NOW)).claims == {**CLAIMS, "exp": NOW + 300}


@pytest.mark.parametrize("alg", ["none", "None", "", "HS256"])
def test_sec_38_none_is_never_emitted_nor_what_the_key_is_not_for(alg: str) -> None:
    fault(need(), IssuedTokens({"main": Signer(key(), alg)}))


@pytest.mark.parametrize("name", ["alg", "crit", "b64"])
def test_sec_38_no_header_parameter_says_how_to_verify_in_our_place(name: str) -> None:
    fault(need(replace(ISSUE, header=IssuedHeader(extra=((name, "none"),)))))


def test_header_parameters_of_the_document_stand_over_ours() -> None:
    assert header(extra=(("kid", "theirs"), ("cty", "text"))) == {
        "alg": "ES256", "kid": "theirs", "typ": "JWT", "cty": "text",
    }  # fmt: skip


def test_a_header_may_do_without_kid() -> None:
    assert header(kid=False) == {"alg": "ES256", "typ": "JWT"}


def test_a_header_shows_the_certificate_it_is_asked_to_show() -> None:
    shown = header(x5c=True, x5t=True, x5t_s256=True)
    assert [base64.b64decode(str(each)) for each in cast("list[str]", shown["x5c"])] == list(CHAIN)
    assert decoded(shown["x5t"]) == hashlib.sha1(CHAIN[0]).digest()
    assert decoded(shown["x5t#S256"]) == hashlib.sha256(CHAIN[0]).digest()
    assert set(header(x5t=True)) == {"alg", "kid", "typ", "x5t"}


def test_thumbprints_can_be_those_of_hexadecimal_text() -> None:
    shown = header(x5t=True, x5t_s256=True, x5t_of_hex_text=True)
    assert decoded(shown["x5t"]).decode() == hashlib.sha1(CHAIN[0]).hexdigest()
    assert decoded(shown["x5t#S256"]).decode() == hashlib.sha256(CHAIN[0]).hexdigest()


def test_a_certificate_that_is_not_there_is_a_fault() -> None:
    without = IssuedTokens({"main": Signer(key(), "ES256")})
    for wanted in (IssuedHeader(x5c=True), IssuedHeader(x5t=True), IssuedHeader(x5t_s256=True)):
        assert "certificate" in str(fault(need(replace(ISSUE, header=wanted)), without))


@pytest.mark.parametrize("alg", ["HS256", "HS512", "ES256", "RS256"])
def test_another_library_reads_our_tokens(alg: str) -> None:
    text = tokens(alg).issue(need(replace(ISSUE, header=IssuedHeader(x5c=True, x5t=True))), NOW).text
    other = jwt.decode(text, KEYS_OF_JOSERFC[key(alg).kty](key(alg)), algorithms=[alg])
    assert other.header["kid"] == "k1"
    assert {**other.claims, "jti": ""} == {**CLAIMS, "iat": NOW, "exp": NOW + 300, "jti": ""}


@pytest.mark.parametrize(("encoding", "padded"), [(Encoding.BASE64, True), (Encoding.BASE64_UNPADDED, False)])
def test_the_standard_alphabet_is_used_for_all_three_parts(encoding: Encoding, padded: bool) -> None:
    # "???" and ">>>" are where the two alphabets differ; the padding depends on the length.
    for number in range(6):
        text = tokens().issue(need(replace(ISSUE, writing=Writing(encoding)), odd="???>>>" + number * "x"), NOW).text
        assert not set("-_") & set(text)
        parts = text.split(".")
        assert all(len(part) % 4 == 0 for part in parts) or not padded
        assert padded or "=" not in text
        head, body, signature = (base64.b64decode(part + "=" * (-len(part) % 4), validate=True) for part in parts)
        assert json.loads(head) == {"alg": "ES256", "kid": "k1", "typ": "JWT"}
        assert json.loads(body)["sub"] == "ada"
        assert verify_bytes("ES256", key().public(), text.rpartition(".")[0].encode(), signature=signature)


def held(signer: IssuedTokens) -> int:
    return len(signer._young) + len(signer._old)


def test_rel_18_remembered_tokens_are_bounded_in_number() -> None:
    signer = tokens(most_entries=10)
    for number in range(100):
        signer.issue(need(sub=f"user-{number}"), NOW)
        assert held(signer) <= 10
        assert signer.entries == held(signer)
    assert signer.evicted == 100 - held(signer)


def test_rel_18_remembered_tokens_are_bounded_in_bytes() -> None:
    signer = tokens(most_bytes=100_000)
    for number in range(100):
        signer.issue(need(sub=f"user-{number}", padding="x" * 5_000), NOW)
        assert held(signer) <= 8
    assert held(signer) > 0


def test_a_token_just_signed_is_still_there_when_others_have_made_way() -> None:
    signer = tokens(most_entries=10)
    for number in range(100):
        token = signer.issue(need(sub=f"user-{number}"), NOW)
        assert signer.issue(need(sub=f"user-{number}"), NOW) is token


@pytest.mark.parametrize(
    ("alg", "slow"),
    [("HS256", False), ("ES256", False), ("Ed25519", False), ("RS256", True), ("PS512", True), ("ES384", True)],
)
def test_slow_algorithms_are_told_from_quick_ones(alg: str, slow: bool) -> None:
    assert tokens(alg).is_slow(need()) is slow


def test_a_key_that_is_not_there_is_found_missing_at_once() -> None:
    assert not IssuedTokens({}).is_slow(need())


def test_several_threads_may_issue_at_once() -> None:
    signer = tokens(most_entries=8)
    with ThreadPoolExecutor(8) as threads:
        issued = list(threads.map(lambda number: signer.issue(need(sub=f"user-{number % 20}"), NOW), range(400)))
    subjects = [read(token).claims["sub"] for token in issued]
    assert subjects == [f"user-{number % 20}" for number in range(400)]


def test_identifiers_come_from_where_the_caller_says() -> None:
    numbers: Iterator[int] = iter(range(10))
    signer = IssuedTokens({"main": Signer(key(), "ES256")}, random_id=lambda: f"id-{next(numbers)}")
    assert [read(signer.issue(need(ONCE), NOW)).claims["jti"] for _ in range(2)] == ["id-0", "id-1"]


def test_an_identifier_has_128_random_bits() -> None:
    assert len({random_id() for _ in range(1000)}) == 1000
    assert {len(random_id()) for _ in range(20)} == {22}


def test_an_end_in_milliseconds_knows_of_fractions_of_a_second() -> None:
    in_milliseconds = replace(ISSUE, writing=Writing(exp_in_milliseconds=True), reuse=False)
    assert claims(tokens().issue(need(in_milliseconds), NOW + 0.181).text)["exp"] == (NOW + 300) * 1000 + 181
    bounded = replace(need(in_milliseconds), not_after=NOW + 60)
    assert claims(tokens().issue(bounded, NOW + 0.181).text)["exp"] == (NOW + 60) * 1000
    assert claims(tokens().issue(need(replace(ISSUE, reuse=False)), NOW + 0.181).text)["exp"] == NOW + 300


def test_members_stand_first_where_a_reader_wants_them() -> None:
    text = tokens().issue(need(replace(ISSUE, writing=Writing(first=("typ", "exp", "iss", "none")))), NOW).text
    header, payload = (base64url_decode(part) for part in text.split(".")[:2])
    assert list(json.loads(header))[:2] == ["typ", "alg"]
    assert list(json.loads(payload))[:2] == ["exp", "iss"]


def test_slashes_may_be_escaped() -> None:
    text = tokens().issue(need(replace(ISSUE, writing=Writing(slashes_escaped=True))), NOW).text
    payload = base64url_decode(text.split(".")[1])
    assert json.loads(payload)["iss"] == ISSUE.iss
    assert ISSUE.iss.replace("/", "\\/").encode() in payload


def test_an_id_may_be_a_uuid() -> None:
    uuid = replace(ISSUE, writing=Writing(jti_is_uuid=True))
    assert UUID(claims(tokens().issue(need(uuid), NOW).text)["jti"]).version == 4


@pytest.mark.parametrize("alg", ["none", "NONE"])
def test_sec_38_a_token_is_unsigned_only_where_the_document_says_so_in_words(alg: str) -> None:
    unsigned = replace(ISSUE, writing=Writing(unsigned_alg=alg))
    header, payload, signature = tokens().issue(need(unsigned), NOW).text.split(".")
    assert json.loads(base64url_decode(header))["alg"] == alg
    assert json.loads(base64url_decode(payload))["iss"] == ISSUE.iss
    assert signature == ""
    assert not tokens().is_slow(need(unsigned))


def test_members_stand_first_however_long_and_deep_the_others_are() -> None:
    deep: JSON = "x"
    for _ in range(40):
        deep = [deep]
    claims = {"long": "x" * 20_000, "deep": deep, **{f"c{number}": 1 for number in range(1_100)}}
    issue = replace(ISSUE, writing=Writing(first=("sub",)))
    payload = decoded(tokens().issue(need(issue, **claims), NOW).text.split(".")[1])
    assert payload.startswith(b'{"sub":"ada",')
    assert json.loads(payload)["deep"] == deep
