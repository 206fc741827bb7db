from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import pytest

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import UnverifiedToken, VerifiedToken
from jwtgate.policy.facts import IssuedToken, NeedIssuedToken
from jwtgate.policy.provisions import Issue
from jwtgate.state.issued_tokens import IssuedTokens, random_id

NOW = 1_800_000_000
ISSUE = Issue("upstream", "access", "main", "https://gw.example", ("orders",), ttl_seconds=300)
ONCE = Issue("upstream", "access", "main", "https://gw.example", ("orders",), ttl_seconds=300, reuse=False)
CLAIMS: Mapping[str, JSON] = MappingProxyType({"sub": "ada", "iss": "https://gw.example", "aud": "orders"})


def key(alg: str = "ES256") -> Key:
    return _key(alg)


@functools.cache
def _key(alg: str) -> Key:
    return generate_key(alg, kid="k1").bound_to(alg)


def tokens(alg: str = "ES256", *, most_entries: int = 100, most_bytes: int = 10**6) -> IssuedTokens:
    return IssuedTokens({"main": (key(alg), alg)}, most_entries=most_entries, most_bytes=most_bytes)


def need(issue: Issue = ISSUE, *, not_after: int | None = None, **claims: JSON) -> NeedIssuedToken:
    return NeedIssuedToken(issue, {**CLAIMS, **claims}, not_after)


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
        IssuedTokens({"main": (key().public(), "ES256")}).issue(need(), NOW)
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
    ],
)
def test_whatever_makes_a_token_different_makes_another_token(other: NeedIssuedToken) -> None:
    signer = IssuedTokens({"main": (key(), "ES256"), "other": (key("Ed25519"), "Ed25519")})
    assert signer.issue(need(), NOW) is not signer.issue(other, NOW)


def held(signer: IssuedTokens) -> int:
    return len(signer._young) + len(signer._old)


def test_rel_18_remembered_tokens_are_bounded_in_number() -> None:
    signer = tokens(most_entries=10)
    for number in range(100):
        signer.issue(need(sub=f"user-{number}"), NOW)
        assert held(signer) <= 10


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
    signer = IssuedTokens({"main": (key(), "ES256")}, random_id=lambda: f"id-{next(numbers)}")
    assert [read(signer.issue(need(ONCE), NOW)).claims["jti"] for _ in range(2)] == ["id-0", "id-1"]


def test_an_identifier_has_128_random_bits() -> None:
    assert len({random_id() for _ in range(1000)}) == 1000
    assert {len(random_id()) for _ in range(20)} == {22}
