"""`jwt_generate` and `jwt_verify`: the functions of Kamailio's `jwt` module, with its names and its order of arguments.

Each gives 1 or -1 as a number that is true when the call succeeded; the rest is told by `jwt`. Whatever is wrong with
a key, a list or a token is -1, one line in the log, and `jwt.reason`; nothing of that is raised.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from jwtgate.integrations.kamailio import server
from jwtgate.integrations.kamailio.claims.sets import Source
from jwtgate.integrations.kamailio.claims.templates import Template
from jwtgate.integrations.kamailio.forked import forget_shared_thread_state
from jwtgate.integrations.kamailio.generating import generate
from jwtgate.integrations.kamailio.key_texts import KeyText, KeyTexts
from jwtgate.integrations.kamailio.outcome import Failed, Jwt, Result
from jwtgate.integrations.kamailio.passport import Passport
from jwtgate.integrations.kamailio.settings import Settings
from jwtgate.integrations.kamailio.verifying import verify

NAMES = frozenset(f"{kind}{size}" for kind in ("HS", "RS", "ES", "PS") for size in (256, 384, 512)) | {"none"}
"""The algorithms a call may name. That `none` and PS are known means only how the call fails."""

Claims: TypeAlias = "Source | Passport"
Presented: TypeAlias = "str | bytes | Template | None"


class Calls:
    """The functions with one set of settings, their keys and their `jwt`: the state of one process."""

    def __init__(self, **options: Any) -> None:
        self.jwt = Jwt()
        self.configure(**options)

    def configure(self, **options: Any) -> None:
        """Behave as these fields of `Settings` say, and as usual where they say nothing; keys are read again.

        `ConfigError` names all that cannot be.
        """
        self.settings = Settings(**options)
        self._process = 0
        self.forget_keys()

    def forget_keys(self) -> None:
        """Read every key again when it is needed next, also with `key_mode` 1."""
        self._keys = KeyTexts(self.settings, server.log_warning)

    def jwt_generate(self, prvkey: str, alg: str, claims: Claims, headers: Source = "") -> Result:
        """Sign these claims and the time with the key at a path; the token is in `jwt.val` afterwards."""
        jwt = self.jwt
        try:
            _require(prvkey, alg, claims)
            jwt.generating()
            key = self._key_at(prvkey, alg)
            return jwt.generated(generate(key, alg, claims, headers, settings=self.settings))
        except Failed as failure:
            return self._failed(failure)

    def jwt_generate_hdrs(self, prvkey: str, alg: str, claims: Claims, headers: Source) -> Result:
        """As `jwt_generate`, with more members in the header."""
        return self.jwt_generate(prvkey, alg, claims, headers)

    def jwt_verify(
        self, pubkey: str, alg: str, claims: Claims, jwtval: Presented, *, needed: Sequence[str] = ()
    ) -> Result:
        """Verify a token with the key at a path, and check its times, these claims, and that those `needed` are there.

        `;` asks for no claims. What does not hold is in `jwt.status`; the claims are in `jwt.claims`.
        """
        try:
            token = self._begin(pubkey, alg, claims, jwtval)
            return self._verify(self._key_at(pubkey, alg), alg, claims, token, needed=needed)
        except Failed as failure:
            return self._failed(failure)

    def jwt_verify_key(
        self, pubkeyval: str, alg: str, claims: Claims, jwtval: Presented, *, needed: Sequence[str] = ()
    ) -> Result:
        """As `jwt_verify`, with the text of the key in place of its path."""
        try:
            token = self._begin(pubkeyval, alg, claims, jwtval)
            _require_known(alg)
            return self._verify(self._keys_here().of(pubkeyval), alg, claims, token, needed=needed)
        except Failed as failure:
            return self._failed(failure)

    def _begin(self, key: str, alg: str, claims: Claims, jwtval: Presented) -> str | bytes | None:
        self.jwt.unproven()
        _require(key, alg, claims)
        token = jwtval.value(self.settings.variables) if isinstance(jwtval, Template) else jwtval
        if token is not None and (not isinstance(token, str | bytes) or not token):
            raise _invalid()
        self.jwt.verifying()
        return token

    def _verify(
        self, key: KeyText, alg: str, claims: Claims, token: str | bytes | None, *, needed: Sequence[str]
    ) -> Result:
        return self.jwt.verified(verify(key, alg, claims, token, needed=needed, settings=self.settings))

    def _key_at(self, path: str, alg: str) -> KeyText:
        _require_known(alg)
        return self._keys_here().at(path)

    def _keys_here(self) -> KeyTexts:
        process = os.getpid()
        if process != self._process:
            if server.KSR is not None:
                forget_shared_thread_state()
            self._keys.parse_anew()
            self._process = process
        return self._keys

    def _failed(self, failure: Failed) -> Result:
        server.log_error(failure.line)
        return self.jwt.failed(failure)


def _require(key: object, alg: object, claims: object) -> None:
    """The first check of the reference: everything is there, and of a kind that can be meant."""
    known = isinstance(claims, str | bytes | Template | Mapping | Passport)
    empty = not isinstance(claims, Template | Passport) and not claims
    if not isinstance(key, str) or not isinstance(alg, str) or not known or empty:
        raise _invalid()


def _invalid() -> Failed:
    return Failed("invalid-parameters", "invalid parameters")


def _require_known(alg: str) -> None:
    if alg not in NAMES:
        raise Failed("alg-unknown", f"not supported algorithm: {alg}")


CALLS = Calls()

jwt = CALLS.jwt
configure = CALLS.configure
forget_keys = CALLS.forget_keys
jwt_generate = CALLS.jwt_generate
jwt_generate_hdrs = CALLS.jwt_generate_hdrs
jwt_verify = CALLS.jwt_verify
jwt_verify_key = CALLS.jwt_verify_key
