"""Tokens of ours: signed once, and handed out again while they last.

`IssuedTokens.issue` may be called from several threads at once. What the calls share is either immutable or
changed by single dictionary operations; at worst two threads sign the same token, or some are forgotten early.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

from jwtgate.errors import DependencyFault, KeyRefused
from jwtgate.jose.certificate import hex_thumbprint, sha1_digest, sha256_digest, x5c
from jwtgate.jose.encoding import JSON, base64_encode, base64url_encode, json_bytes
from jwtgate.jose.key import Key
from jwtgate.jose.signature import sign_bytes
from jwtgate.policy.facts import IssuedToken, NeedIssuedToken
from jwtgate.policy.provisions import Encoding, Issue, Lifetime, Writing
from jwtgate.state.keys.keyring import Signer
from jwtgate.state.signers import is_slow

MOST_ENTRIES = 10_000
MOST_BYTES = 16 * 1024 * 1024
MOST_KINDS = 20_000
MOST_LIFE_SECONDS = 24 * 3600
"""A token that ends with its incoming one lives no longer, whatever that one says (SEC-42)."""

_RANDOM_AT_ONCE = 64
_ENTRY_BYTES = 500  # what Python itself needs for one entry, roughly
_IAT, _EXP, _JTI = b'"iat":%(iat)d', b'"exp":%(exp)d', b'"jti":"%(jti)b"'
_SIGNER_CLAIMS = frozenset({"iat", "exp", "jti"})
_NOT_EXTRA = frozenset({"alg", "crit", "b64"})
ENCODED: Mapping[Encoding, Callable[[bytes], str]] = {
    Encoding.BASE64URL: base64url_encode,
    Encoding.BASE64: base64_encode,
    Encoding.BASE64_UNPADDED: lambda data: base64_encode(data).rstrip("="),
}
"""How the bytes of a part become text."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the tokens of one description have in common, worked out once.

    `number` is the same for descriptions whose tokens differ in nothing but their claims. `issue` is held so that
    its `id` stays its own.
    """

    issue: Issue
    number: int
    key: Key
    alg: str
    header: str
    encoded: Callable[[bytes], str]
    ours: bytes
    ours_endless: bytes
    not_taken: frozenset[str]
    exp_unit: int
    follows_incoming: bool
    random_id: Callable[[], str]


_Described = tuple[int, bytes, int | None, int | None]


_random: list[bytes] = []
os.register_at_fork(after_in_child=_random.clear)  # no two processes hand out the same


def random_id() -> str:
    """An identifier of 128 random bits, in base64url."""
    try:
        return base64url_encode(_random.pop())
    except IndexError:  # the system is asked for many at once: asking costs more than all the rest
        fresh = os.urandom(16 * _RANDOM_AT_ONCE)
        _random.extend([fresh[at : at + 16] for at in range(16, len(fresh), 16)])
        return base64url_encode(fresh[:16])


def random_uuid() -> str:
    """The same as a UUID of version 4."""
    return str(uuid4())


def written(text: bytes, writing: Writing) -> bytes:
    """A JSON object of ours as the reader of a token wants it written."""
    if writing.first:
        members = json.loads(text)
        text = json_bytes({name: members[name] for name in writing.first if name in members} | members)
    return text.replace(b"/", b"\\/") if writing.slashes_escaped else text


def longest_life_seconds(issue: Issue) -> int:
    """How long a token of this description may live: its key has to stay published for as long."""
    return issue.ttl_seconds if issue.lifetime is Lifetime.TTL else max(issue.ttl_seconds, MOST_LIFE_SECONDS)


class IssuedTokens:
    """Signs with `signers`, which are by name. `evicted` counts tokens that were let go of for want of room."""

    def __init__(
        self,
        signers: Mapping[str, Signer],
        *,
        random_id: Callable[[], str] = random_id,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
        evicted: int = 0,
    ) -> None:
        self.evicted = evicted
        self._signers = dict(signers)
        self._random_id = random_id
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._kinds: dict[int, _Kind] = {}
        self._numbers: dict[object, int] = {}
        self._next_number = count()
        # Two generations: when the younger is full the elder goes, with all that nobody asked for again.
        self._young: dict[_Described, tuple[int, IssuedToken]] = {}
        self._old: dict[_Described, tuple[int, IssuedToken]] = {}
        self._young_bytes = 0

    @property
    def entries(self) -> int:
        """How many tokens are held."""
        return len(self._young) + len(self._old)

    def is_slow(self, need: NeedIssuedToken) -> bool:
        """Whether signing takes so long that it belongs on a thread of its own."""
        signer = self._signers.get(need.issue.key)
        if need.issue.writing.unsigned_alg is not None:
            return False
        return signer is not None and is_slow(signer.alg)

    def issue(self, need: NeedIssuedToken, now: float) -> IssuedToken:
        """The token, signed now (NumericDate) or handed out again, with `iat`, `exp` and `jti`.

        Only an `exp` in milliseconds knows of fractions of a second.
        It is handed out for three quarters of its life, or until its description's margin before its end.
        `DependencyFault("signer_unavailable")` when its life would be over already, or the key is not there.
        """
        issue, (now, milliseconds) = need.issue, divmod(round(now * 1000), 1000)
        kind = self._kinds.get(id(issue)) or self._prepare(issue)
        claims = need.claims if kind.not_taken.isdisjoint(need.claims) else _without(need.claims, kind.not_taken)
        try:
            body = json_bytes(dict(claims))
        except ValueError as error:
            raise DependencyFault("signer_unavailable", issue=issue.name, cause=str(error)) from None
        if not issue.reuse:
            return self._sign(kind, need, body, now=now, milliseconds=milliseconds)
        described = (kind.number, body, need.not_after, need.incoming_exp if kind.follows_incoming else None)
        held = self._young.get(described) or self._old.get(described)
        # A clock that was set back would make a token of the future out of one that is held.
        if held is not None and held[0] <= now < held[1].reuse_until:
            return held[1]
        token = self._sign(kind, need, body, now=now, milliseconds=milliseconds)
        if token.reuse_until > now:
            self._remember(described, (now, token))
        return token

    def _sign(self, kind: _Kind, need: NeedIssuedToken, body: bytes, *, now: int, milliseconds: int) -> IssuedToken:
        issue = need.issue
        exp = _end(need, now)
        if exp is None:
            ours = kind.ours_endless % {b"iat": now, b"jti": kind.random_id().encode()}
        else:
            past = milliseconds if kind.exp_unit > 1 and exp == now + issue.ttl_seconds else 0
            ours = kind.ours % {b"iat": now, b"exp": exp * kind.exp_unit + past, b"jti": kind.random_id().encode()}
        payload = b"%b%b%b}" % (body[:-1], b"," if len(body) > 2 and ours else b"", ours)
        signing_input = f"{kind.header}.{kind.encoded(written(payload, issue.writing))}"
        end = now + issue.ttl_seconds if exp is None else exp
        reuse_until = _reuse_until(issue, end, now) if issue.reuse else now
        if issue.writing.unsigned_alg is not None:
            return IssuedToken(f"{signing_input}.", reuse_until)
        try:
            signature = sign_bytes(kind.alg, kind.key, signing_input.encode())
        except KeyRefused as refusal:
            raise DependencyFault("signer_unavailable", issue=issue.name, key=issue.key) from refusal
        return IssuedToken(f"{signing_input}.{kind.encoded(signature)}", reuse_until)

    def _prepare(self, issue: Issue) -> _Kind:
        signer = self._signers.get(issue.key)
        if signer is None:
            raise DependencyFault("signer_unavailable", issue=issue.name, key=issue.key)
        writing = issue.writing
        encoded = ENCODED[writing.encoding]
        header = encoded(written(json_bytes(_header(issue, signer)), writing))
        alike = (
            *(issue.key, header, writing, issue.omitted),
            *(issue.ttl_seconds, issue.lifetime, issue.exp_shift_seconds),
            *(issue.reuse_margin_seconds, issue.copy_registered, issue.exp_optional),
        )
        if len(self._kinds) >= MOST_KINDS:
            self._kinds, self._numbers = {}, {}
        kind = self._kinds[id(issue)] = _Kind(
            issue,
            number=self._numbers.setdefault(alike, next(self._next_number)),
            key=signer.key,
            alg=signer.alg,
            header=header,
            encoded=encoded,
            ours=_ours(issue, _EXP),
            ours_endless=_ours(issue),
            not_taken=frozenset({"exp"}) if issue.copy_registered else _SIGNER_CLAIMS,
            exp_unit=1000 if writing.exp_in_milliseconds else 1,
            follows_incoming=issue.lifetime is Lifetime.INCOMING,
            random_id=random_uuid if writing.jti_is_uuid else self._random_id,
        )
        return kind

    def _remember(self, described: _Described, entry: tuple[int, IssuedToken]) -> None:
        size = len(described[1]) + len(entry[1].text) + _ENTRY_BYTES
        full = 2 * (self._young_bytes + size) > self._most_bytes or 2 * len(self._young) >= self._most_entries
        if full:
            self.evicted += len(self._old)
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[described] = entry
        self._young_bytes += size


def _without(claims: Mapping[str, JSON], names: frozenset[str]) -> dict[str, JSON]:
    return {name: value for name, value in claims.items() if name not in names}


def _ours(issue: Issue, *ends: bytes) -> bytes:
    """The end of the claims, to be filled in; `ends` says when the token ends."""
    iat = () if issue.copy_registered or "iat" in issue.omitted else (_IAT,)
    jti = () if issue.copy_registered or "jti" in issue.omitted else (_JTI,)
    return b",".join((*iat, *ends, *jti))


def _header(issue: Issue, signer: Signer) -> dict[str, JSON]:
    """The protected header. What the document adds stands over ours, save for what says how to verify it."""
    wanted = issue.header
    if any(name in _NOT_EXTRA for name, _ in wanted.extra):
        raise DependencyFault("signer_unavailable", issue=issue.name, cause="a header parameter is not to be set")
    members: dict[str, JSON] = {"alg": issue.writing.unsigned_alg or signer.alg}
    if wanted.kid and signer.key.kid is not None:
        members["kid"] = signer.key.kid
    return {**members, "typ": issue.typ, **_certificate_members(issue, signer), **dict(wanted.extra)}


def _certificate_members(issue: Issue, signer: Signer) -> dict[str, JSON]:
    wanted, members = issue.header, dict[str, JSON]()
    if not (wanted.x5c or wanted.x5t or wanted.x5t_s256):
        return members
    if not signer.certificates:
        raise DependencyFault("signer_unavailable", issue=issue.name, key=issue.key, cause="it has no certificate")
    thumbprint = hex_thumbprint if wanted.x5t_of_hex_text else base64url_encode
    padding = "==" if wanted.x5t_of_hex_text and wanted.x5t_padded else ""
    if wanted.x5c:
        members["x5c"] = [*x5c(signer.certificates)]
    if wanted.x5t:
        members["x5t"] = thumbprint(sha1_digest(signer.certificates[0])) + padding
    if wanted.x5t_s256:
        members["x5t#S256"] = thumbprint(sha256_digest(signer.certificates[0])) + padding
    return members


def _end(need: NeedIssuedToken, now: int) -> int | None:
    """The `exp` of the token; None: it has none. `DependencyFault` when its life would be over already."""
    issue, incoming = need.issue, need.incoming_exp if need.issue.lifetime is Lifetime.INCOMING else None
    if incoming is None and issue.exp_optional:
        return None
    if incoming is not None and issue.copy_registered:
        shifted = incoming + issue.exp_shift_seconds
        if need.not_after is None or issue.may_outlive_incoming_token:
            return shifted
        return min(shifted, need.not_after)
    exp = now + issue.ttl_seconds if incoming is None else _incoming_end(need, incoming, now)
    if need.not_after is not None and need.not_after < exp:
        exp = need.not_after
    # An `exp` that has passed is passed on where nobody looked at it.
    bounded = need.not_after is not None or issue.may_outlive_incoming_token
    if exp <= now and (incoming is None or incoming > now or bounded):
        raise DependencyFault("signer_unavailable", issue=issue.name, cause="its life would be over")
    return exp


def _incoming_end(need: NeedIssuedToken, incoming_exp: int, now: int) -> int:
    """The end of a token that follows the incoming one (SEC-157)."""
    shift = need.issue.exp_shift_seconds
    exp = incoming_exp + shift
    # An incoming token that lives on nothing but leeway passes it on.
    if exp <= now and shift >= 0 and need.not_after is not None:
        exp = need.not_after
    return min(exp, now + MOST_LIFE_SECONDS)


def _reuse_until(issue: Issue, exp: int, now: int) -> int:
    if issue.reuse_margin_seconds is None:
        return max(now, now + 3 * (exp - now) // 4)
    return max(now, exp - issue.reuse_margin_seconds)
