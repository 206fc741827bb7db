from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.errors import KeyRefused, TokenRefused
from jwtgate.jose.encoding import base64url_decode, base64url_encode, json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.signature import (
    sign_bytes,
    sign_compact,
    sign_detached,
    split_compact,
    twin_of,
    verify_bytes,
    verify_compact,
    verify_detached,
    verify_signature,
)

EC, EC2, ED = generate_key("ES256"), generate_key("ES256"), generate_key("Ed25519")
MAC = generate_key("HS256")
ES = frozenset({"ES256"})
PAYLOAD = b"\0not json\xff"


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises((TokenRefused, KeyRefused)) as caught:
        call()
    return caught.value.reason


def verify(token: str | bytes, *keys: Key, algorithms: frozenset[str] = ES) -> bytes:
    return verify_compact(token, keys or (EC.public(),), algorithms)[0]


def signed(header: dict[str, object], payload: bytes = b"{}", key: Key = EC) -> str:
    """A token with any header at all, properly signed."""
    data = f"{base64url_encode(json.dumps(header).encode())}.{base64url_encode(payload)}"
    return f"{data}.{base64url_encode(sign_bytes(str(key.alg), key, data.encode()))}"


@given(st.binary(max_size=50))
def test_sec_1_any_payload_comes_back_with_its_header(payload: bytes) -> None:
    token = sign_compact(payload, EC, alg="ES256", header={"typ": "x"})
    for form in (token, token.encode()):
        assert verify_compact(form, [EC.public()], ES) == (payload, {"alg": "ES256", "kid": EC.kid, "typ": "x"})


def test_sec_1_the_primitive_check_says_yes_or_no() -> None:
    signature = sign_bytes("ES256", EC, PAYLOAD)
    assert verify_bytes("ES256", EC.public(), PAYLOAD, signature=signature) is True
    assert verify_bytes("ES256", EC2.public(), PAYLOAD, signature=signature) is False
    assert reason_of(lambda: verify_bytes("ES384", EC.public(), PAYLOAD, signature=signature)) == "key_unfit"


GOOD = sign_compact(b"{}", EC, alg="ES256")
HEAD, BODY, TAIL = GOOD.split(".")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        HEAD,
        f"{HEAD}.{BODY}",
        f"{HEAD}.{BODY}.",
        f".{BODY}.{TAIL}",
        f"{GOOD}.",
        f".{GOOD}",
        f" {GOOD}",
        f"{GOOD} ",
        f"{GOOD}\n",
        f"{GOOD}\r\n",
        f"\t{GOOD}",
        f"{GOOD}\0",
        f"{GOOD}=",
        f"{HEAD}=.{BODY}.{TAIL}",
        f"{HEAD}.{BODY}.{TAIL[:-1]}+",
        f"{HEAD}.{BODY}.{TAIL[:-1]}/",
        f"{HEAD}.{BODY}.{TAIL[:-1]}%",
        f'"{GOOD}"',
        f"{HEAD}%2E{BODY}.{TAIL}",
        f"{HEAD}.{BODY}.{TAIL[:-1]}é",
        f"{HEAD}.{BODY}.{TAIL[:-1]}\ud800",
        f"{HEAD}。{BODY}.{TAIL}",
        json.dumps({"protected": HEAD, "payload": BODY, "signature": TAIL}),
        f"{GOOD}.a",
        f"{GOOD}.a.b.c",
        f"Bearer {GOOD}",
        f"{GOOD},{GOOD}",
        f"{HEAD}.{BODY}.{TAIL[:-1]}ａ",
    ],
)
def test_sec_4_only_the_compact_form_is_accepted(token: str) -> None:
    assert reason_of(lambda: verify(token)) == "token_malformed"
    assert reason_of(lambda: verify(token.encode("utf-8", "surrogatepass"))) == "token_malformed"


def test_sec_4_the_good_token_of_these_tests_is_good() -> None:
    assert verify(GOOD) == b"{}"


@pytest.mark.parametrize("token", ["a.b.c.d.e", f"{HEAD}..{BODY}.{TAIL}.{TAIL}"])
def test_sec_17_five_segments_are_an_encrypted_token(token: str) -> None:
    assert reason_of(lambda: verify(token)) == "token_encrypted"
    assert reason_of(lambda: verify(token + " ")) == "token_malformed"


def test_sec_5_trailing_bits_of_the_signature_and_payload_are_zero() -> None:
    assert reason_of(lambda: verify(f"{HEAD}.{BODY}.{TAIL[:-1]}{chr(ord(TAIL[-1]) + 1)}")) == "signature_unreadable"
    assert reason_of(lambda: verify(f"{HEAD}.e31.{TAIL}")) == "token_malformed"


def test_sec_6_a_token_is_measured_before_it_is_split() -> None:
    limit = len(GOOD)
    assert verify_compact(GOOD, [EC.public()], ES, limit_bytes=limit)[0] == b"{}"
    assert reason_of(lambda: verify_compact(GOOD, [EC.public()], ES, limit_bytes=limit - 1)) == "token_too_large"
    for letter in (".", "a", "é"):
        assert reason_of(lambda letter=letter: verify(letter * 10_000_000)) == "token_too_large"


def test_sec_20_the_verifier_names_the_algorithms() -> None:
    assert reason_of(lambda: verify(GOOD, algorithms=frozenset({"ES384", "RS256"}))) == "alg_not_allowed"
    assert reason_of(lambda: verify(GOOD, algorithms=frozenset())) == "alg_not_allowed"
    assert reason_of(lambda: verify(GOOD, ED.public())) == "alg_not_allowed"


def test_sec_20_a_name_that_is_no_algorithm_helps_nobody() -> None:
    assert (
        reason_of(lambda: verify_signature("none", b"", signature=b"", keys=[MAC], algorithms={"none"}))
        == "alg_not_allowed"
    )


def test_a_signature_by_another_key_is_wrong() -> None:
    assert reason_of(lambda: verify(GOOD, EC2.public())) == "signature_wrong"


def test_sec_33_at_most_four_keys_are_tried() -> None:
    others = [generate_key("ES256").public() for _ in range(3)]
    assert verify(GOOD, *others, EC.public()) == b"{}"
    assert reason_of(lambda: verify(GOOD, *others, EC2.public(), EC.public())) == "key_ambiguous"
    assert reason_of(lambda: verify_compact(GOOD, [], ES)) == "key_unknown"


def test_the_key_that_made_a_signature_is_told() -> None:
    parts = split_compact(GOOD)
    key = EC.public()
    keys = [EC2.public(), key]
    assert verify_signature("ES256", parts.signing_input, signature=parts.signature, keys=keys, algorithms=ES) is key


@pytest.mark.parametrize("part", [0, 1, 2])
def test_sec_34_every_changed_byte_is_noticed(part: int) -> None:
    token = sign_compact(b'{"a":"bc"}', MAC, alg="HS256", header={"typ": "JWT"})
    segments = [base64url_decode(segment) for segment in token.split(".")]
    for place in range(len(segments[part])):
        changed = list(segments)
        changed[part] = bytes(b ^ (i == place) for i, b in enumerate(changed[part]))
        text = ".".join(map(base64url_encode, changed))
        with pytest.raises(TokenRefused):
            verify(text, MAC, algorithms=frozenset({"HS256"}))


@pytest.mark.parametrize(
    "extra", [{"x": 1, "crit": ["x"]}, {"crit": []}, {"b64": True, "crit": ["b64"]}, {"b64": False, "crit": ["b64"]}]
)
def test_sec_12_no_extension_is_understood_by_default(extra: dict[str, object]) -> None:
    assert reason_of(lambda: verify(signed({"alg": "ES256", **extra}))) == "crit_unknown"


@pytest.mark.parametrize("value", [False, None, 0, 1, "true"])
def test_sec_13_b64_without_crit_is_refused(value: object) -> None:
    assert reason_of(lambda: verify(signed({"alg": "ES256", "b64": value}))) == "token_malformed"
    assert verify(signed({"alg": "ES256", "b64": True})) == b"{}"


def test_sec_39_a_detached_payload_is_verified_as_received() -> None:
    token = sign_detached(PAYLOAD, EC, alg="ES256", header={"typ": "note"})
    head, middle, _ = token.split(".")
    assert middle == ""
    assert json.loads(base64url_decode(head))["crit"] == ["b64"]
    arguments = {"keys": [EC.public()], "algorithms": ES}
    assert verify_detached(token, PAYLOAD, **arguments)["typ"] == "note"
    assert verify_detached(token.encode(), PAYLOAD, **arguments)["b64"] is False
    assert reason_of(lambda: verify_detached(token, PAYLOAD + b" ", **arguments)) == "signature_wrong"
    assert reason_of(lambda: verify(token)) == "crit_unknown"


def test_sec_39_an_encoded_payload_may_be_detached_too() -> None:
    head, _, tail = sign_compact(PAYLOAD, EC, alg="ES256").split(".")
    arguments = {"keys": [EC.public()], "algorithms": ES}
    assert verify_detached(f"{head}..{tail}", PAYLOAD, **arguments)["alg"] == "ES256"
    assert reason_of(lambda: verify_detached(f"{head}..{tail}", b"", **arguments)) == "signature_wrong"


def test_sec_13_a_detached_token_has_an_empty_middle_and_an_honest_header() -> None:
    def detached(header: dict[str, object], payload: bytes = b"") -> str:
        token = signed({"alg": "ES256", **header}, payload)
        return reason_of(lambda: verify_detached(token, b"", keys=[EC.public()], algorithms=ES))

    assert detached({"b64": False, "crit": ["b64"]}, b"{}") == "token_malformed"
    assert detached({"b64": False}) == "token_malformed"
    assert detached({"b64": 0, "crit": ["b64"]}) == "token_malformed"
    assert detached({"b64": False, "x": 1, "crit": ["b64", "x"]}) == "crit_unknown"


def test_sec_13_a_detached_payload_has_at_most_a_mebibyte() -> None:
    arguments = {"keys": [MAC], "algorithms": frozenset({"HS256"})}
    payload = b"a" * 1_048_576
    token = sign_detached(payload, MAC, alg="HS256")
    assert verify_detached(token, payload, **arguments)
    assert reason_of(lambda: verify_detached(token, payload + b"a", **arguments)) == "token_too_large"


@pytest.mark.parametrize("alg", ["none", "ES384", "HS256", "", "ES521"])
def test_sec_38_a_key_signs_only_with_what_it_fits_and_never_none(alg: str) -> None:
    for key in (EC, MAC.bound_to("HS256") if alg != "HS256" else EC, EC.public()):
        assert reason_of(lambda key=key: sign_compact(b"", key, alg=alg)) == "key_unfit"
        assert reason_of(lambda key=key: sign_detached(b"", key, alg=alg)) == "key_unfit"


def test_a_public_key_does_not_sign() -> None:
    assert reason_of(lambda: sign_compact(b"", EC.public(), alg="ES256")) == "key_unfit"


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "ES256"}, {"crit": ["x"]}, {"b64": False}, {"kid": "other"}]
)
def test_sec_38_a_header_cannot_say_what_the_key_says(header: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not the caller's to set"):
        sign_compact(b"", EC, alg="ES256", header=header)


def test_a_key_without_a_name_leaves_kid_to_the_caller() -> None:
    nameless = EC.with_kid(None)
    assert "kid" not in verify_compact(sign_compact(b"", nameless, alg="ES256"), [EC.public()], ES)[1]
    named = sign_compact(b"", nameless, alg="ES256", header={"kid": "theirs"})
    assert verify_compact(named, [EC.public()], ES)[1]["kid"] == "theirs"


@given(
    st.one_of(st.binary(max_size=60), st.text(max_size=60), st.from_regex(r"[\w.-]*\.[\w-]*\.[\w-]*", fullmatch=True))
)
def test_nothing_raises_anything_but_a_refusal(token: str | bytes) -> None:
    with pytest.raises(TokenRefused):
        verify(token)
    with pytest.raises(TokenRefused):
        verify_detached(token, b"", keys=[EC.public()], algorithms=ES)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "ES256K"])
def test_an_ecdsa_token_has_one_twin_that_is_as_good(alg: str) -> None:
    key = generate_key(alg)
    token = sign_compact(b"payload", key, alg=alg)
    twin = twin_of(token, alg)
    assert twin is not None
    assert twin != token
    assert twin_of(twin, alg) == token
    assert verify_compact(twin, [key.public()], {alg})[0] == b"payload"


def test_other_tokens_have_no_twin() -> None:
    assert twin_of("a.b.c", "RS256") is None
    assert twin_of("a.b.c", "HS256") is None


@pytest.mark.parametrize(("header", "alg"), [({"alg": "none"}, "none"), ({"alg": "ES256"}, "ES256"), ({}, None)])
def test_the_log_learns_which_alg_an_empty_signature_came_with(header: dict[str, str], alg: str | None) -> None:
    with pytest.raises(TokenRefused) as caught:
        split_compact(f"{base64url_encode(json_bytes(header))}.e30.")
    assert caught.value.detail == {"part": "signature", "alg": alg}
