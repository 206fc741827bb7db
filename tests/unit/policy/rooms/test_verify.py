from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.plans import (
    ACME,
    GOOD,
    HELD,
    ISS,
    ISSUER,
    KEY,
    KEYS,
    NOTHING,
    OTHER_KEY,
    SLOT,
    Held,
    a_token,
    finish,
    reason,
    refusal,
)

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import JSON, base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import sign_token
from jwtgate.policy.callers import Credential, api_key_name
from jwtgate.policy.facts import (
    Facts,
    Introspected,
    NeedCredential,
    NeedIntrospection,
    NeedKeys,
    NeedNewerCredential,
    Steps,
)
from jwtgate.policy.requirements import CredentialLookup, Introspect, Introspection, Issuer, Slot, Times
from jwtgate.policy.rooms.verify import Verified, ask_besides, verify

OTHER_ISS = "https://other.example"
OTHER = replace(ISSUER, name="other", iss=OTHER_ISS)
Walk = Steps[Verified]
BOTH = replace(SLOT, issuers={ISS: ISSUER, OTHER_ISS: OTHER})


def walk(token: str, *, slot: Slot = SLOT, facts: Facts = HELD, limit_bytes: int = 16_384) -> Walk:
    return verify(slot, token, facts, client="192.0.2.7", limit_bytes=limit_bytes)


def with_issuer(**changes: Any) -> Slot:
    return replace(SLOT, issuers={ISS: replace(ISSUER, **changes)})


def test_a_good_token_is_verified_without_asking() -> None:
    verified = finish(walk(a_token()))
    assert verified.issuer is ISSUER
    assert verified.token.claims["sub"] == "alice"


def test_keys_that_are_not_held_are_asked_for_with_the_kid_and_the_client() -> None:
    steps = walk(a_token(), facts=NOTHING)
    assert next(steps) == NeedKeys("main", "k1", "192.0.2.7")
    verified = finish(steps, [KEYS])
    assert (verified.issuer, verified.token.kid) == (ISSUER, "k1")


def test_what_cannot_be_found_out_surfaces_here() -> None:
    steps = walk(a_token(), facts=NOTHING)
    next(steps)
    assert reason(lambda: steps.throw(DependencyFault("issuer_unreachable"))) == "issuer_unreachable"


def test_a_wrong_signature_is_refused() -> None:
    assert reason(lambda: finish(walk(a_token(key=OTHER_KEY)))) == "signature_wrong"


@pytest.mark.parametrize("iss", ["https://idp.example/", "https://IDP.example", "https://idp", "", None, 7, [ISS]])
def test_sec_43_the_issuer_is_found_by_its_exact_name(iss: object) -> None:
    error = refusal(lambda: next(walk(a_token(iss=iss), facts=NOTHING)))
    assert (error.reason, error.detail) == ("issuer_unknown", {"slot": "access"})


def test_sec_43_a_key_of_one_issuer_verifies_no_token_of_another() -> None:
    facts = Held({"main": KEYS, "other": KeySet([OTHER_KEY.public()])})
    assert finish(walk(a_token(iss=OTHER_ISS, key=OTHER_KEY), slot=BOTH, facts=facts)).issuer is OTHER
    assert reason(lambda: finish(walk(a_token(iss=OTHER_ISS), slot=BOTH, facts=facts))) == "signature_wrong"


def test_sec_52_a_slot_without_issuers_refuses_every_token() -> None:
    assert reason(lambda: next(walk(a_token(), slot=replace(SLOT, issuers={})))) == "issuer_unknown"


def test_sec_20_the_issuer_says_which_algorithms_there_are() -> None:
    slot = with_issuer(algorithms=frozenset({"RS256", "PS256"}))
    assert reason(lambda: next(walk(a_token(), slot=slot, facts=NOTHING))) == "alg_not_allowed"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_sec_16_a_type_that_is_named_is_accepted_however_it_is_written(typ: str) -> None:
    assert finish(walk(a_token(typ=typ), slot=with_issuer(types=frozenset({"at+jwt"}))))


@pytest.mark.parametrize(("typ", "optional"), [("JWT", False), ("JWT", True), (None, False), ("text/at+jwt", False)])
def test_sec_16_any_other_type_is_refused_before_a_key_is_asked_for(typ: str | None, optional: bool) -> None:
    slot = with_issuer(types=frozenset({"at+jwt"}), type_optional=optional)
    assert reason(lambda: next(walk(a_token(typ=typ), slot=slot, facts=NOTHING))) == "type_wrong"


def test_sec_16_a_type_may_be_left_out_where_the_issuer_says_so() -> None:
    assert finish(walk(a_token(typ=None), slot=with_issuer(types=frozenset({"at+jwt"}), type_optional=True)))
    assert finish(walk(a_token(typ=None)))


@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_sec_14_addresses_in_the_header_are_ignored_or_refused(member: str) -> None:
    token = a_token(header={member: "https://evil.example/keys"})
    assert finish(walk(token)).issuer is ISSUER
    refusing = with_issuer(refuse_header_addresses=True)
    assert reason(lambda: next(walk(token, slot=refusing, facts=NOTHING))) == "header_address_refused"
    assert finish(walk(a_token(), slot=refusing))


def test_sec_6_the_limit_on_the_size_of_a_token_is_the_plans() -> None:
    token = a_token()
    assert finish(walk(token, limit_bytes=len(token)))
    assert reason(lambda: next(walk(token, limit_bytes=len(token) - 1))) == "token_too_large"


@pytest.mark.parametrize("credential", ["", "abc", "a.b.c", " a.b.c", "a.b.c.d.e"])
def test_what_is_no_token_is_refused(credential: str) -> None:
    assert reason(lambda: next(walk(credential))) in ("token_malformed", "token_encrypted")


def test_sec_11_an_unsigned_token_is_refused() -> None:
    header, claims = (base64url_encode(part) for part in (b'{"alg":"none"}', b'{"iss":"https://idp.example"}'))
    assert reason(lambda: next(walk(f"{header}.{claims}."))) == "token_malformed"
    assert reason(lambda: next(walk(f"{header}.{claims}.AA"))) == "alg_unreadable"


ASKED = replace(ISSUER, introspection=Introspection(), times=Times(exp_required=False))
OPAQUE_SLOT = replace(SLOT, introspector=ASKED)
ACTIVE = Introspected(True, {"sub": "bob", "iss": ISS}, 1_800_000_060)


def asked(credential: str, slot: Slot, answer: Introspected = ACTIVE) -> Verified:
    steps = walk(credential, slot=slot)
    need = next(steps)
    assert need == NeedIntrospection("main", credential, "access_token")
    return finish(steps, [answer])  # type: ignore[no-any-return]


@pytest.mark.parametrize("credential", ["opaque", "a.b", "a.b.c", "a.b.c.d.e", "AbC+/=~"])
def test_what_is_no_jwt_is_introspected_where_the_slot_may(credential: str) -> None:
    verified = asked(credential, OPAQUE_SLOT)
    assert (verified.token.claims["sub"], verified.answer) == ("bob", ACTIVE)
    assert verified.issuer == ASKED


def test_a_jwt_is_verified_by_its_signature_and_nobody_is_asked() -> None:
    assert finish(walk(a_token(), slot=OPAQUE_SLOT)).token.claims["sub"] == "alice"
    assert reason(lambda: finish(walk(a_token(key=OTHER_KEY), slot=OPAQUE_SLOT))) == "signature_wrong"
    assert reason(lambda: finish(walk(a_token(iss="https://other"), slot=OPAQUE_SLOT))) == "issuer_unknown"


def test_every_token_may_be_introspected_in_place_of_its_signature() -> None:
    slot = replace(OPAQUE_SLOT, introspect=Introspect.ALWAYS)
    assert asked(a_token(key=OTHER_KEY), slot).token.claims["sub"] == "bob"


def test_a_jwt_may_be_introspected_besides_its_signature() -> None:
    slot = replace(OPAQUE_SLOT, introspect=Introspect.ADDITIONALLY)
    by_signature = finish(walk(a_token(), slot=slot))
    assert (by_signature.token.claims["sub"], by_signature.answer) == ("alice", None)

    def besides(answer: Introspected) -> Verified:
        moves = ask_besides(slot, by_signature, a_token(), limit_bytes=16_384)
        next(moves)
        verified: Verified = finish(moves, [answer])
        return verified

    assert (besides(ACTIVE).token, besides(ACTIVE).answer) == (by_signature.token, ACTIVE)
    assert reason(lambda: besides(Introspected(False, {}, 0))) == "token_inactive"
    assert reason(lambda: finish(walk(a_token(key=OTHER_KEY), slot=slot))) == "signature_wrong"


def test_nobody_is_asked_besides_where_that_is_not_wanted_or_was_done() -> None:
    verified = finish(walk(a_token(), slot=OPAQUE_SLOT))
    assert finish(ask_besides(OPAQUE_SLOT, verified, a_token(), limit_bytes=16_384)) is verified
    slot = replace(OPAQUE_SLOT, introspect=Introspect.ADDITIONALLY)
    opaque = asked("opaque", slot)
    assert finish(ask_besides(slot, opaque, "opaque", limit_bytes=16_384)) is opaque


def test_what_is_no_jwt_may_be_refused_without_asking() -> None:
    slot = replace(OPAQUE_SLOT, introspect=Introspect.JWT_ADDITIONALLY)
    assert reason(lambda: finish(walk("opaque", slot=slot))) == "token_malformed"
    by_signature = finish(walk(a_token(), slot=slot))
    moves = ask_besides(slot, by_signature, a_token(), limit_bytes=16_384)
    next(moves)
    assert finish(moves, [ACTIVE]).answer == ACTIVE


def test_an_answer_that_does_not_repeat_the_issuer_is_its_issuers_all_the_same() -> None:
    assert asked("opaque", OPAQUE_SLOT, Introspected(True, {"sub": "x"}, 0)).issuer == replace(ASKED, iss=None)


def test_nobody_is_asked_about_nothing_or_about_too_much() -> None:
    assert reason(lambda: next(walk("", slot=OPAQUE_SLOT))) == "token_malformed"
    assert reason(lambda: next(walk("x" * 101, slot=OPAQUE_SLOT, limit_bytes=100))) == "token_too_large"


PARTNERS = Issuer("partners", None, frozenset(), frozenset({"orders"}), credentials=CredentialLookup(("key",)))
BY_KEY = replace(SLOT, issuers={}, by_credential=PARTNERS)
KEYED = Credential("acme-key", "k-1", ACME, frozenset({"ES256"}), KEYS)
CALLERS = Held({}, credentials=[KEYED])


def test_a_claim_names_the_credential_whose_key_verifies_the_token() -> None:
    verified = finish(walk(keyed("acme-key"), slot=BY_KEY, facts=CALLERS))
    assert (verified.issuer, verified.credential) == (PARTNERS, KEYED)


def keyed(name: object, *, key: Key = KEY, header: object = None) -> str:
    claims = {**GOOD, "key": name}
    return sign_token(claims, key, alg="ES256", header=header)  # type: ignore[arg-type]


def test_a_header_parameter_may_name_it_too() -> None:
    slot = replace(BY_KEY, by_credential=replace(PARTNERS, credentials=CredentialLookup(header="app")))
    assert finish(walk(keyed("other", header={"app": "acme-key"}), slot=slot, facts=CALLERS)).credential is KEYED
    assert reason(lambda: finish(walk(keyed("acme-key"), slot=slot, facts=CALLERS))) == "credential_not_named"


def test_a_secret_that_is_base64_by_its_issuer_is_decoded_before_it_verifies() -> None:
    secret = b"a secret of 32 bytes, or of more"
    lookup = CredentialLookup(("key",), base64=True)
    slot = replace(BY_KEY, by_credential=replace(PARTNERS, credentials=lookup))

    def found(text: bytes, *, by: Slot = slot) -> object:
        held = Key.secret(text, alg="HS256", short_secret_allowed_for_legacy_credential=True)
        credential = replace(KEYED, algorithms=frozenset({"HS256"}), keys=KeySet((held,)))
        token = sign_token({**GOOD, "key": "acme-key"}, Key.secret(secret, alg="HS256"), alg="HS256")
        return finish(walk(token, slot=by, facts=Held({}, credentials=[credential]))).credential

    for text in (b64encode(secret), urlsafe_b64encode(secret).rstrip(b"=")):
        assert found(text) is not None
        assert reason(lambda text=text: found(text, by=BY_KEY)) == "signature_wrong"
    assert reason(lambda: found(secret)) == "key_unknown"
    assert finish(walk(keyed("acme-key"), slot=slot, facts=CALLERS)).credential is KEYED


def test_the_header_is_looked_at_where_the_claim_is_not_there() -> None:
    both = replace(PARTNERS, credentials=CredentialLookup(("key",), "app"))
    slot, nameless = replace(BY_KEY, by_credential=both), sign_token(GOOD, KEY, alg="ES256", header={"app": "acme-key"})
    assert finish(walk(nameless, slot=slot, facts=CALLERS)).credential is KEYED
    assert reason(lambda: finish(walk(nameless, slot=BY_KEY, facts=CALLERS))) == "credential_not_named"
    for named in ("", "nobody"):
        token = keyed(named, header={"app": "acme-key"})
        assert reason(lambda token=token: send(walk(token, slot=slot, facts=CALLERS), None)) in (
            "credential_name_malformed", "credential_unknown",
        )  # fmt: skip


def send(steps: Steps[Verified], answer: object) -> None:
    next(steps)
    steps.send(answer)


@pytest.mark.parametrize("name", ["", None, 7, ["acme-key"], "x" * 257])
def test_a_token_that_names_no_credential_is_refused_before_anything_is_looked_up(name: object) -> None:
    assert reason(lambda: next(walk(keyed(name), slot=BY_KEY, facts=NOTHING))) == "credential_name_malformed"
    absent = a_token()
    assert reason(lambda: next(walk(absent, slot=BY_KEY, facts=NOTHING))) == "credential_not_named"


def test_a_credential_that_is_not_at_hand_is_asked_for() -> None:
    steps = walk(keyed("acme-key"), slot=BY_KEY, facts=NOTHING)
    assert next(steps) == NeedCredential("acme-key")
    assert finish(steps, [KEYED]).credential is KEYED
    steps = walk(keyed("acme-key"), slot=BY_KEY, facts=NOTHING)
    next(steps)
    assert reason(lambda: steps.send(None)) == "credential_unknown"


def test_sec_20_a_credential_verifies_with_its_own_key_and_its_own_algorithm_only() -> None:
    assert (
        reason(lambda: finish(walk(keyed("acme-key", key=OTHER_KEY), slot=BY_KEY, facts=CALLERS))) == "signature_wrong"
    )
    other = Held({}, credentials=[replace(KEYED, algorithms=frozenset({"RS256"}))])
    assert reason(lambda: finish(walk(keyed("acme-key"), slot=BY_KEY, facts=other))) == "alg_not_allowed"
    unnamed = Held({}, credentials=[replace(KEYED, keys=KeySet([generate_key("ES256", kid="k2").public()]))])
    assert reason(lambda: finish(walk(keyed("acme-key"), slot=BY_KEY, facts=unnamed))) == "key_unknown"


def test_a_key_that_a_consumer_publishes_is_asked_for_by_whoever_needs_it() -> None:
    stale = replace(KEYED, keys=KeySet([OTHER_KEY.with_kid("k0").public()]), fetched=True)
    facts = Held({}, credentials=[stale])
    steps = walk(keyed("acme-key"), slot=BY_KEY, facts=facts)
    assert next(steps) == NeedNewerCredential("acme-key", "k1", "192.0.2.7")
    assert finish(steps, [KEYED]).credential is KEYED
    steps = walk(keyed("acme-key"), slot=BY_KEY, facts=facts)
    next(steps)
    assert reason(lambda: steps.throw(DependencyFault("issuer_unreachable"))) == "issuer_unreachable"


def test_a_credential_may_be_more_patient_with_clocks_than_its_issuer() -> None:
    patient = Held({}, credentials=[replace(KEYED, leeway_seconds=77)])
    verified = finish(walk(keyed("acme-key"), slot=BY_KEY, facts=patient))
    assert verified.issuer.times.leeway_seconds == 77


def test_sec_43_a_token_that_names_an_issuer_is_never_taken_for_a_consumers() -> None:
    both = replace(BY_KEY, issuers={ISS: ISSUER})
    verified = finish(walk(keyed("acme-key"), slot=both))
    assert (verified.issuer, verified.credential) == (ISSUER, None)


ANY_ISS = replace(ISSUER, name="any", iss=None)
OPEN = replace(SLOT, any_iss=ANY_ISS)


@pytest.mark.parametrize("iss", ["https://other.example", None, "", 7])
def test_tokens_of_any_issuer_are_taken_where_the_document_does_not_look_at_iss(iss: JSON) -> None:
    facts = Held({"any": KEYS})
    assert finish(walk(a_token(iss=iss), slot=OPEN, facts=facts)).issuer is ANY_ISS
    assert reason(lambda: finish(walk(a_token(iss=iss, key=OTHER_KEY), slot=OPEN, facts=facts))) == "signature_wrong"
    assert reason(lambda: next(walk(a_token(iss=iss), facts=facts))) == "issuer_unknown"


def test_sec_43_a_token_that_names_an_issuer_of_the_slot_is_that_issuers_alone() -> None:
    facts = Held({"main": KEYS, "any": KeySet([OTHER_KEY.public()])})
    assert finish(walk(a_token(), slot=OPEN, facts=facts)).issuer is ISSUER
    assert reason(lambda: finish(walk(a_token(key=OTHER_KEY), slot=OPEN, facts=facts))) == "signature_wrong"


UNSIGNED = replace(ISSUER, algorithms=frozenset(), signature_unverified=True)
TRUSTING = replace(SLOT, issuers={ISS: UNSIGNED})


@pytest.mark.parametrize("token", [a_token(key=OTHER_KEY), a_token()[:-6] + "AAAAAA"])
def test_a_signature_is_verified_unless_the_document_says_in_words_that_it_is_not(token: str) -> None:
    verified = finish(walk(token, slot=TRUSTING, facts=NOTHING))
    assert (verified.issuer, verified.token.key, verified.credential) == (UNSIGNED, None, None)
    assert reason(lambda: finish(walk(token))) == "signature_wrong"


def test_sec_11_none_is_no_algorithm_even_there() -> None:
    header, claims = (base64url_encode(part) for part in (b'{"alg":"none"}', b'{"iss":"https://idp.example"}'))
    assert reason(lambda: next(walk(f"{header}.{claims}.AA", slot=TRUSTING))) == "alg_unreadable"
    assert reason(lambda: next(walk("a.b.c", slot=TRUSTING))) == "token_malformed"


CLAIMS = base64url_encode(b'{"iss":"https://idp.example"}')


@pytest.mark.parametrize(
    ("header", "claims", "reason_given"),
    [
        ('{"alg":"ES256","crit":["x"],"x":1}', CLAIMS, "crit_unknown"),
        ('{"alg":"ES256","b64":false,"crit":["b64"]}', CLAIMS, "crit_unknown"),
        ('{"alg":"ES256","alg":"ES256"}', CLAIMS, "token_malformed"),
        ('{"alg":"ES256","kid":7}', CLAIMS, "token_malformed"),
        ('{"alg":"es256"}', CLAIMS, "alg_unreadable"),
        ('{"alg":"ES256"}', base64url_encode(b'{"iss":"https://idp.example","iss":"x"}'), "token_malformed"),
        ('{"alg":"ES256"}', base64url_encode(b'["https://idp.example"]'), "claims_unreadable"),
        ('{"alg":"ES256"}', CLAIMS + "=", "token_malformed"),
        ('{"alg":"ES256"}', CLAIMS + "." + CLAIMS + "." + CLAIMS, "token_encrypted"),
    ],
)
def test_what_has_two_readings_is_refused_even_there(header: str, claims: str, reason_given: str) -> None:
    text = f"{base64url_encode(header.encode())}.{claims}.AA"
    assert reason(lambda: next(walk(text, slot=TRUSTING))) == reason_given


def test_what_is_not_verified_still_has_its_issuer_and_its_type() -> None:
    assert reason(lambda: next(walk(a_token(iss="https://other"), slot=TRUSTING))) == "issuer_unknown"
    typed = replace(SLOT, issuers={ISS: replace(UNSIGNED, types=frozenset({"at+jwt"}))})
    assert reason(lambda: next(walk(a_token(), slot=typed))) == "type_wrong"


AGAIN = with_issuer(keys_again=True)
NEWER = KeySet([OTHER_KEY.public()])


def test_keys_are_fetched_again_after_a_wrong_signature_where_the_document_says_so() -> None:
    token = a_token(key=OTHER_KEY)
    steps = walk(token, slot=AGAIN)
    assert next(steps) == NeedKeys("main", "k1", "192.0.2.7", distrusted=True)
    key = finish(steps, [NEWER]).token.key
    assert key.thumbprint() == OTHER_KEY.thumbprint()
    assert reason(lambda: finish(walk(token))) == "signature_wrong"


def test_keys_that_are_no_others_or_no_better_leave_it_wrong() -> None:
    for answer in (KEYS, KeySet([KEY.public()]), KeySet([KEY.public().with_kid("k9")])):
        steps = walk(a_token(key=OTHER_KEY), slot=AGAIN)
        next(steps)
        assert reason(lambda steps=steps, answer=answer: steps.send(answer)) == "signature_wrong"


def test_where_no_keys_can_be_had_again_that_is_a_fault() -> None:
    steps = walk(a_token(key=OTHER_KEY), slot=AGAIN)
    next(steps)
    assert reason(lambda: steps.throw(DependencyFault("issuer_unreachable"))) == "issuer_unreachable"


def test_nobody_asks_again_for_a_good_token_or_a_wrong_algorithm() -> None:
    assert finish(walk(a_token(), slot=AGAIN)).issuer.keys_again
    narrow = with_issuer(keys_again=True, algorithms=frozenset({"RS256"}))
    assert reason(lambda: next(walk(a_token(), slot=narrow))) == "alg_not_allowed"


DOOR = Issuer("keys", None, frozenset(), None, credentials=CredentialLookup(api_key=True))
BY_API_KEY = replace(SLOT, issuers={}, by_credential=DOOR)
HELD_KEY = replace(KEYED, name=api_key_name("s3cret"), algorithms=frozenset())
KEY_HOLDERS = Held({}, credentials=[HELD_KEY, KEYED])


def test_an_api_key_leads_to_its_consumer_and_claims_nothing() -> None:
    verified = finish(walk("s3cret", slot=BY_API_KEY, facts=KEY_HOLDERS))
    assert (verified.credential, dict(verified.token.claims), verified.token.key) == (HELD_KEY, {}, None)


@pytest.mark.parametrize("text", ["s3cre", "S3cret", "", "acme-key", api_key_name("s3cret"), "é", keyed("acme-key")])
def test_any_other_text_leads_nowhere(text: str) -> None:
    steps = walk(text, slot=BY_API_KEY, facts=KEY_HOLDERS)
    assert next(steps) == NeedCredential(api_key_name(text))
    assert text == "" or text not in str(NeedCredential(api_key_name(text)))
    assert reason(lambda: steps.send(None)) == "credential_unknown"


def test_sec_6_an_api_key_is_no_longer_than_a_token_may_be() -> None:
    assert reason(lambda: next(walk("x" * 101, slot=BY_API_KEY, limit_bytes=100))) == "token_too_large"


def test_no_token_can_name_the_credential_of_an_api_key() -> None:
    held = Held({}, credentials=[replace(HELD_KEY, algorithms=KEYED.algorithms, keys=KEYS)])
    for token in (keyed(api_key_name("s3cret")), keyed("api-key ")):
        assert reason(lambda token=token: next(walk(token, slot=BY_KEY, facts=held))) == "credential_unknown"


def test_no_api_key_leads_to_a_credential_tokens_are_made_with() -> None:
    held = Held({}, credentials=[replace(HELD_KEY, algorithms=KEYED.algorithms)])
    assert reason(lambda: finish(walk("s3cret", slot=BY_API_KEY, facts=held))) == "credential_unknown"


KEY_DOOR = Issuer("keys", None, frozenset(), None, credentials=CredentialLookup(api_key=True))
EITHER = replace(SLOT, by_credential=KEY_DOOR)
SAYS = {"sub": "bob", "exp": 1_900_000_000}


def test_what_an_api_key_says_of_its_caller_stands_for_claims() -> None:
    held = Held({}, credentials=[Credential(api_key_name("s3cret"), "k", ACME, frozenset(), KeySet(()), claims=SAYS)])
    verified = finish(walk("s3cret", slot=replace(EITHER, issuers={}), facts=held))
    assert (dict(verified.claims), verified.issuer) == (SAYS, KEY_DOOR)


def test_beside_issuers_an_api_key_is_what_is_no_token_of_theirs() -> None:
    stranger = a_token(iss=OTHER_ISS)
    names = (api_key_name("s3cret"), api_key_name(stranger), api_key_name(a_token()))
    held = Held(
        {ISSUER.name: KEYS}, credentials=[Credential(name, "k", ACME, frozenset(), KeySet(())) for name in names]
    )
    assert finish(walk(a_token(), slot=EITHER, facts=held)).issuer is ISSUER
    assert finish(walk("s3cret", slot=EITHER, facts=held)).issuer is KEY_DOOR
    assert finish(walk(stranger, slot=EITHER, facts=held)).issuer is KEY_DOOR
    assert reason(lambda: finish(walk(a_token(key=OTHER_KEY), slot=EITHER, facts=held))) == "signature_wrong"
