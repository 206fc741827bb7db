"""The same tokens through this library and three others: good ones, and ones changed in every way we could think of.

Every token of a class is judged by all four. Where they disagree, the class must stand in `KNOWN` with the reason;
any other disagreement fails, and so does an entry that no longer happens. `pytest -s` prints the table.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
import pytest
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import base64url_decode, base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.signature import sign_bytes
from jwtgate.jose.token import UnverifiedToken

ROUNDS = 40
ALGS = ("HS256", "RS256", "PS256", "ES256", "EdDSA")
Parts = list[str]  # the three segments
Header = dict[str, Any]

OTHERS = ("PyJWT", "joserfc", "jwcrypto")

STRICT_BASE64 = "one byte string has one encoding here (SEC-5)"
STRICT_JSON = "JSON is read strictly here (SEC-7)"
UNIQUE = "repeated names are refused here (SEC-8)"
LIMITS = "there are limits here (SEC-6, SEC-9, SEC-15)"
EXTENSIONS = "no extension is understood here unless asked for (SEC-12, SEC-13)"
COMPACT = "only the compact form is a token here (SEC-4)"
TYPES = "members of the header have their types here (SEC-15)"

# Class: who else accepts it, and why we do not.
KNOWN: dict[str, tuple[tuple[str, ...], str]] = {
    "JSON serialisation": (("jwcrypto",), COMPACT),
    "b64 true in crit": (OTHERS, EXTENSIONS),
    "crit empty": (("joserfc", "jwcrypto"), EXTENSIONS),
    "crit not a list": (("jwcrypto",), EXTENSIONS),
    "claims nested deeply": (OTHERS, LIMITS),
    "claims too long": (OTHERS, LIMITS),
    "claims with a long integer": (OTHERS, LIMITS),
    "header too long": (("PyJWT", "jwcrypto"), LIMITS),
    "kid too long": (OTHERS, LIMITS),
    "padding after the signature": (("PyJWT", "jwcrypto"), STRICT_BASE64),
    "standard alphabet in the signature": (("jwcrypto",), STRICT_BASE64),
    "trailing bits in the signature": (("jwcrypto",), STRICT_BASE64),
    "claims after a byte order mark": (OTHERS, STRICT_JSON),
    "claims in utf-16": (OTHERS, STRICT_JSON),
    "claims with NaN": (OTHERS, STRICT_JSON),
    "claims with a lone surrogate": (OTHERS, STRICT_JSON),
    "claims with an overflow": (OTHERS, STRICT_JSON),
    "header after a byte order mark": (("PyJWT", "joserfc"), STRICT_JSON),
    "header in utf-16": (("PyJWT", "joserfc"), STRICT_JSON),
    "kid not a string": (("jwcrypto",), TYPES),
    "typ not a string": (("PyJWT", "jwcrypto"), TYPES),
    "claims with a repeated name": (OTHERS, UNIQUE),
    "header with a repeated name": (OTHERS, UNIQUE),
}


class Subject:
    """One key in the form each library wants, and how each says yes: with the claims, or None for no."""

    def __init__(self, alg: str) -> None:
        self.alg = alg
        self.key = generate_key(alg, kid="k1")
        self.other = generate_key(alg, kid="k2")
        public = self.key if self.key.is_symmetric else self.key.public()
        self.verifying: Key = public
        members = public.to_private_jwk() if public.is_symmetric else public.to_jwk()
        self._pyjwt = public.material.verifier
        self._joserfc = joserfc_jwk.import_key({**members})
        # Strict, it refuses every header member that no RFC names.
        self._registry = joserfc_jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
        self._jwcrypto = jwcrypto_jwk.JWK(**members)

    def judges(self) -> dict[str, Callable[[str], object]]:
        return {"PyJWT": self._by_pyjwt, "joserfc": self._by_joserfc, "jwcrypto": self._by_jwcrypto}

    def ours(self, text: str) -> object:
        try:
            return dict(UnverifiedToken.parse(text).verify([self.verifying], frozenset({self.alg})).claims)
        except TokenRefused:
            return None

    def _by_pyjwt(self, text: str) -> object:
        unchecked = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
        return pyjwt.decode(text, self._pyjwt, algorithms=[self.alg], options=unchecked)

    def _by_joserfc(self, text: str) -> object:
        return _claims(joserfc_jws.deserialize_compact(text, self._joserfc, registry=self._registry).payload)

    def _by_jwcrypto(self, text: str) -> object:
        token = jwcrypto_jws.JWS()
        token.allowed_algs = [self.alg]
        token.deserialize(text, self._jwcrypto)
        return _claims(token.payload)


def _claims(payload: bytes) -> object:
    value = json.loads(payload)
    if not isinstance(value, dict):
        raise ValueError("no claims")
    return value


def sign(subject: Subject, header: object, claims: object) -> Parts:
    """A properly signed token of any header and claims; bytes are taken as they are."""
    segments = [
        base64url_encode(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, claims)
    ]
    signature = sign_bytes(subject.alg, subject.key, ".".join(segments).encode())
    return [*segments, base64url_encode(signature)]


Make = Callable[[Subject, Header, dict[str, Any], random.Random], Parts | str]
CLASSES: dict[str, Make] = {}


def signed_with(name: str, change: Callable[[Header, dict[str, Any], random.Random], tuple[object, object]]) -> None:
    """A class of tokens changed before signing."""
    CLASSES[name] = lambda subject, header, claims, dice: sign(subject, *change(header, claims, dice))


def changed(name: str, change: Callable[[Parts, random.Random], Parts | str]) -> None:
    """A class of tokens changed after signing."""
    CLASSES[name] = lambda subject, header, claims, dice: change(sign(subject, header, claims), dice)


def flipped(place: int) -> Callable[[Parts, random.Random], Parts]:
    def flip(parts: Parts, dice: random.Random) -> Parts:
        data = bytearray(base64url_decode(parts[place]))
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        parts[place] = base64url_encode(bytes(data))
        return parts

    return flip


def trailing_bits(place: int) -> Callable[[Parts, random.Random], Parts]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def change(parts: Parts, _: random.Random) -> Parts:
        text = parts[place]
        if len(text) % 4:
            parts[place] = text[:-1] + alphabet[alphabet.index(text[-1]) | 1]
        return parts

    return change


def text_of(value: object, old: str, new: str) -> bytes:
    return json.dumps(value).replace(old, new, 1).encode()


signed_with("good", lambda h, c, d: (h, c))
signed_with("good without kid and typ", lambda h, c, d: ({"alg": h["alg"]}, c))
signed_with("good with blanks", lambda h, c, d: (json.dumps(h, indent=1).encode(), json.dumps(c, indent=3).encode()))
signed_with("good with other members", lambda h, c, d: ({**h, "x": [1, {"y": None}], "cty": "a"}, c))
signed_with(
    "key in the header", lambda h, c, d: ({**h, "jwk": {"kty": "oct", "k": "AA"}, "jku": "http://127.0.0.1:1"}, c)
)
signed_with("alg missing", lambda h, c, d: ({"typ": "JWT"}, c))
signed_with("alg none", lambda h, c, d: ({**h, "alg": d.choice(["none", "None", "NONE"])}, c))
signed_with("alg in another case", lambda h, c, d: ({**h, "alg": h["alg"].swapcase()}, c))
signed_with("alg not a string", lambda h, c, d: ({**h, "alg": d.choice([None, 1, [h["alg"]], {}])}, c))
signed_with("alg of another kind", lambda h, c, d: ({**h, "alg": d.choice([a for a in ALGS if a != h["alg"]])}, c))
signed_with("kid not a string", lambda h, c, d: ({**h, "kid": d.choice([None, 1, ["k1"], {}])}, c))
signed_with("kid too long", lambda h, c, d: ({**h, "kid": "k" * 300}, c))
signed_with("typ not a string", lambda h, c, d: ({**h, "typ": d.choice([None, 1, ["JWT"], {}])}, c))
signed_with("crit unknown", lambda h, c, d: ({**h, "x": 1, "crit": ["x"]}, c))
signed_with("crit empty", lambda h, c, d: ({**h, "crit": []}, c))
signed_with("crit not a list", lambda h, c, d: ({**h, "crit": d.choice(["x", None, 1, {}])}, c))
signed_with("crit of an absent member", lambda h, c, d: ({**h, "crit": ["x"]}, c))
signed_with("b64 false in crit", lambda h, c, d: ({**h, "b64": False, "crit": ["b64"]}, c))
signed_with("b64 true in crit", lambda h, c, d: ({**h, "b64": True, "crit": ["b64"]}, c))
signed_with("b64 false without crit", lambda h, c, d: ({**h, "b64": False}, c))
signed_with("header not an object", lambda h, c, d: (d.choice([[], 1, "a", None, [h]]), c))
signed_with("header not JSON", lambda h, c, d: (d.choice([b"", b"{", b"{'alg':'x'}", b"\xff"]), c))
signed_with("header with a repeated name", lambda h, c, d: (text_of(h, "{", '{"kid": "a", '), c))
signed_with("header after a byte order mark", lambda h, c, d: (b"\xef\xbb\xbf" + text_of(h, "", ""), c))
signed_with("header in utf-16", lambda h, c, d: (json.dumps(h).encode("utf-16"), c))
signed_with("header too long", lambda h, c, d: ({**h, "pad": "a" * 7_000}, c))
signed_with("claims not an object", lambda h, c, d: (h, d.choice([[], 1, "a", None, [c]])))
signed_with("claims not JSON", lambda h, c, d: (h, d.choice([b"", b"{", b"{'a':1}", b"\xff", b'{"a":1,}', b"{}{}"])))
signed_with("claims with a repeated name", lambda h, c, d: (h, text_of(c, "{", '{"sub": "root", ')))
signed_with("claims with NaN", lambda h, c, d: (h, {**c, "n": d.choice([float("nan"), float("inf")])}))
signed_with("claims with an overflow", lambda h, c, d: (h, text_of(c, "{", '{"n": 1e999, ')))
signed_with("claims with a lone surrogate", lambda h, c, d: (h, {**c, "s": "\ud800"}))
signed_with("claims after a byte order mark", lambda h, c, d: (h, b"\xef\xbb\xbf" + text_of(c, "", "")))
signed_with("claims in utf-16", lambda h, c, d: (h, json.dumps(c).encode("utf-16")))
signed_with("claims nested deeply", lambda h, c, d: (h, text_of(c, "{", '{"deep": ' + "[" * 40 + "]" * 40 + ", ")))
signed_with("claims with a long integer", lambda h, c, d: (h, text_of(c, "{", '{"n": ' + "9" * 40 + ", ")))
signed_with("claims too long", lambda h, c, d: (h, {**c, "pad": "a" * 20_000}))
changed("header bit flipped", flipped(0))
changed("claims bit flipped", flipped(1))
changed("signature bit flipped", flipped(2))
changed("signature cut short", lambda p, d: [p[0], p[1], base64url_encode(base64url_decode(p[2])[:-1])])
changed("signature too long", lambda p, d: [p[0], p[1], base64url_encode(base64url_decode(p[2]) + b"\0")])
changed("signature empty", lambda p, d: [p[0], p[1], ""])
changed("signature all zeros", lambda p, d: [p[0], p[1], base64url_encode(bytes(len(base64url_decode(p[2]))))])
changed("trailing bits in the signature", trailing_bits(2))
changed("padding after the signature", lambda p, d: [p[0], p[1], p[2] + "=" * (-len(p[2]) % 4 or 4)])
changed("foreign character in the signature", lambda p, d: [p[0], p[1], p[2][:9] + d.choice("!@ \n*") + p[2][9:]])
changed("standard alphabet in the signature", lambda p, d: [p[0], p[1], p[2].replace("-", "+").replace("_", "/")])
changed("line end after the token", lambda p, d: ".".join(p) + d.choice(["\n", "\r\n"]))
changed("blank around the token", lambda p, d: d.choice([" {}", "{} ", "\t{}"]).format(".".join(p)))
changed("a segment too many", lambda p, d: [*p, d.choice(["", "AAAA", p[2]])])
changed("a segment too few", lambda p, d: p[: d.choice([0, 1, 2])])
changed("segments in another order", lambda p, d: [p[1], p[0], p[2]])
changed("character outside ASCII", lambda p, d: ".".join(p)[:-1] + d.choice("éＡ\u0661"))
changed("JSON serialisation", lambda p, d: json.dumps(dict(zip(("protected", "payload", "signature"), p, strict=True))))
CLASSES["signed by another key"] = lambda s, h, c, d: [
    *sign(s, h, c)[:2],
    base64url_encode(sign_bytes(s.alg, s.other, ".".join(sign(s, h, c)[:2]).encode())),
]


def random_claims(dice: random.Random) -> dict[str, Any]:
    pool: list[Any] = ["é€\U0001f600", "", 0, -1, 2**53, 0.5, True, None, [], {}, ["a", {"b": [1]}], "a" * 100]
    extra = {f"c{i}": dice.choice(pool) for i in range(dice.randrange(6))}
    return {"iss": "https://idp.example", "sub": f"user-{dice.randrange(10**6)}", "exp": 4_000_000_000, **extra}


def disagreements() -> tuple[Counter[tuple[str, str, str]], int]:
    dice = random.Random(20240611)
    found: Counter[tuple[str, str, str]] = Counter()
    judged = 0
    for subject in map(Subject, ALGS):
        judges = subject.judges()
        for _ in range(ROUNDS):
            header, claims = {"alg": subject.alg, "kid": "k1", "typ": "JWT"}, random_claims(dice)
            for name, make in CLASSES.items():
                made = make(subject, dict(header), claims, dice)
                text = made if isinstance(made, str) else ".".join(made)
                ours = subject.ours(text)
                assert (ours is not None) or not name.startswith("good"), name
                judged += 1
                for library, judge in judges.items():
                    try:
                        theirs = judge(text)
                    except Exception:
                        theirs = None
                    if theirs != ours:
                        found[name, library, "they accept" if ours is None else "we accept"] += 1
    return found, judged


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")
def test_every_disagreement_with_three_other_libraries_is_known() -> None:
    found, judged = disagreements()
    print(f"\n{judged} tokens, {len(CLASSES)} classes")
    for (name, library, side), count in sorted(found.items()):
        print(f"{name:36} {library:9} {side:12} {count:5}  {KNOWN.get(name, ((), 'NOT KNOWN'))[1]}")
    assert judged > 5_000
    assert {(name, library) for name, library, _ in found} == {
        (name, library) for name, (libraries, _) in KNOWN.items() for library in libraries
    }
    assert {side for _, _, side in found} == {"they accept"}
