from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import HELD, ISSUE, ISSUED, ISSUER, KEY, KEYS, NOTHING, Held, finish, reason, refusal

from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.facts import (
    Facts,
    IssuedToken,
    NeedIssuedToken,
    NeedKeys,
    NeedNewerCredential,
    Steps,
    credential_keys,
    find_credential_keys,
    find_issued_token,
    find_keys,
)

SECOND = generate_key("ES256", kid="k2").public()
TWO = KeySet([KEY.public(), SECOND])


def search(kid: str | None, facts: Facts, *, alg: str = "ES256", tries: int = 1) -> Steps[tuple[Key, ...]]:
    return find_keys(replace(ISSUER, keys_tried_without_kid=tries), alg, kid, facts=facts, client="c")


def test_a_key_that_is_held_is_not_asked_for() -> None:
    assert [key.kid for key in finish(search("k1", HELD))] == ["k1"]
    assert [key.kid for key in finish(search(None, HELD))] == ["k1"]


@pytest.mark.parametrize(
    ("kid", "alg", "facts"), [("k9", "ES256", NOTHING), ("k9", "ES256", HELD), (None, "RS256", HELD)]
)
def test_a_key_that_is_not_held_is_asked_for_once_and_then_unknown(kid: str | None, alg: str, facts: Facts) -> None:
    walk = search(kid, facts, alg=alg)
    assert next(walk) == NeedKeys("main", kid, "c")
    assert reason(lambda: finish(walk, [KEYS])) == "key_unknown"


def test_the_answer_is_looked_through() -> None:
    walk = search("k2", HELD)
    next(walk)
    assert finish(walk, [TWO]) == (SECOND,)


def test_sec_33_without_a_kid_no_more_keys_are_tried_than_the_issuer_allows() -> None:
    two = Held({"main": TWO})
    assert reason(lambda: next(search(None, two))) == "key_ambiguous"
    assert len(finish(search(None, two, tries=2))) == 2
    walk = search(None, NOTHING)
    next(walk)
    assert reason(lambda: finish(walk, [TWO])) == "key_ambiguous"


def test_sec_33_an_unknown_kid_tries_no_other_key() -> None:
    walk = search("k9", Held({"main": TWO}), tries=4)
    next(walk)
    assert reason(lambda: finish(walk, [TWO])) == "key_unknown"


def test_a_single_unnamed_key_of_the_document_answers_to_any_kid() -> None:
    unnamed = KEY.public().with_kid(None)
    only = Held({"main": KeySet([unnamed])})
    local = replace(ISSUER, local_keys=True)
    assert finish(find_keys(local, "ES256", "k9", facts=only, client="c")) == (unnamed,)
    walk = search("k9", only)
    next(walk)
    assert reason(lambda: finish(walk, [KeySet([unnamed])])) == "key_unknown"


def test_sec_33_a_named_key_of_the_document_answers_to_its_own_kid_only() -> None:
    walk = find_keys(replace(ISSUER, local_keys=True), "ES256", "k9", facts=HELD, client="c")
    next(walk)
    assert reason(lambda: finish(walk, [KEYS])) == "key_unknown"


def test_an_issued_token_is_always_asked_for() -> None:
    need = NeedIssuedToken(ISSUE, {"sub": "alice"}, None)
    walk = find_issued_token(need)
    assert next(walk) is need
    assert finish(walk, [ISSUED]) is ISSUED


def test_an_issued_token_is_shown_without_its_text() -> None:
    assert "hush" not in repr(IssuedToken("hush", 7))


PUBLISHED = Credential("main", "1", Consumer("acme", "1"), frozenset({"ES256"}), KEYS, fetched=True)


def of_credential(credential: Credential, kid: str | None) -> Steps[tuple[Credential, tuple[Key, ...]]]:
    return find_credential_keys(credential, "acme-key", "ES256", kid=kid, client="c")


def test_a_key_of_a_credential_that_is_held_is_not_asked_for() -> None:
    for credential in (PUBLISHED, replace(PUBLISHED, fetched=False)):
        assert finish(of_credential(credential, "k1")) == (credential, tuple(KEYS))


def test_sec_65_a_key_its_consumer_may_have_published_lately_is_asked_for_once() -> None:
    newer = replace(PUBLISHED, keys=TWO)
    walk = of_credential(PUBLISHED, "k2")
    assert next(walk) == NeedNewerCredential("acme-key", "k2", "c")
    assert finish(walk, [newer]) == (newer, (SECOND,))
    for answer in (PUBLISHED, None):
        walk = of_credential(PUBLISHED, "k9")
        next(walk)
        assert reason(lambda walk=walk, answer=answer: finish(walk, [answer])) == "key_unknown"


def test_of_a_credential_that_holds_its_keys_itself_none_is_asked_for() -> None:
    assert reason(lambda: next(of_credential(replace(PUBLISHED, fetched=False), "k2"))) == "key_unknown"


def test_sec_33_only_a_key_that_stands_beside_the_credential_is_meant_by_any_kid() -> None:
    unnamed = replace(PUBLISHED, keys=KeySet([KEY.public().with_kid(None)]))
    assert credential_keys(unnamed, "ES256", "k1") == ()
    assert len(credential_keys(unnamed, "ES256", None)) == 1
    assert len(credential_keys(replace(unnamed, fetched=False), "ES256", "k1")) == 1
    assert reason(lambda: credential_keys(replace(PUBLISHED, keys=TWO), "ES256", None)) == "key_ambiguous"


def test_by_kid_alone_a_token_and_its_key_have_the_same_kid_or_both_have_none() -> None:
    unnamed = KeySet([KEY.with_kid(None).public(), SECOND])
    issuer = replace(ISSUER, keys_by_kid_alone=True)

    def found(kid: str | None, keys: KeySet) -> list[str | None]:
        walk = find_keys(issuer, "ES256", kid, facts=Held({"main": keys}), client="")
        return [key.kid for key in finish(walk)]

    assert found(None, unnamed) == [None]
    assert found("k2", unnamed) == ["k2"]
    for kid, keys in ((None, TWO), ("k9", unnamed)):
        walk = find_keys(issuer, "ES256", kid, facts=Held({"main": keys}), client="")
        assert next(walk) == NeedKeys("main", kid)
        assert refusal(lambda walk=walk, keys=keys: walk.send(keys)).detail == {
            "issuer": "main",
            "kid": kid,
            "alg": "ES256",
        }
