"""Keys as Kamailio is given them, by path or as text: read when they change, parsed once.

A file is looked at on every call by default (`key_mode` 0); with 1 it is read once and kept. A key that was parsed
stays parsed as long as its bytes are the same.
"""

from __future__ import annotations

import hmac
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jwtgate.errors import KeyRefused, TokenRefused
from jwtgate.integrations.kamailio.outcome import Failed
from jwtgate.integrations.kamailio.settings import Settings
from jwtgate.jose.algorithms import ALGORITHMS, is_mac
from jwtgate.jose.encoding import parse_json_object
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet

MOST_KEY_BYTES = 10_240
"""What the reference reads of a key file. More is cut there, and refused here."""

USABLE = frozenset(f"{kind}{size}" for kind in ("HS", "RS", "ES") for size in (256, 384, 512))
"""The algorithms that sign and verify; others the reference knows by name alone."""

_LEAST_RSA_BITS = 1024
_MOST_KEPT = 256
_SPACE = b" \t\r\n"
# A file written twice within one tick of the clock looks the same: until it has been left alone this long, its bytes
# are compared too.
_SETTLED_SECONDS = 2.0

Warn = Callable[[str], None]


# Freed by nobody: where processes share the memory of these, the first to free one would free it for all.
_OF_OTHERS: list[object] = []


class KeyText:
    """The bytes of one key, and the keys parsed of them so far. `name` is what the log may say of it."""

    __slots__ = ("_jwk_read", "_keys", "_name", "_secrets", "_told", "_warn", "data")

    def __init__(self, data: bytes, name: str, *, jwk_read: bool, warn: Warn) -> None:
        self.data = data
        self._name = name
        self._jwk_read = jwk_read and data.lstrip(_SPACE).startswith(b"{")
        self._warn = warn
        self._keys: Key | KeySet | None = None
        self._secrets: dict[str, Key] = {}
        self._told: set[str] = set()

    def parse_anew(self) -> None:
        """Parse these bytes again when they are needed next: what was parsed before a fork is another process's too."""
        _OF_OTHERS.append((self._keys, self._secrets))
        self._keys, self._secrets = None, {}

    def signing(self, alg: str, kid: str | None) -> Key:
        """The key to sign with; `Failed` with `key-unusable` when there is none that fits."""
        for key in self._fitting(alg, kid):
            if key.signs(alg):
                return key
        raise self._unusable("does not sign", alg)

    def verifying(self, alg: str, kid: str | None) -> tuple[Key, ...]:
        """The keys to verify with; `Failed` as `signing`. Private keys and certificates are none."""
        if not self._jwk_read and not is_mac(alg) and (b"PRIVATE KEY-" in self.data or b"N CERTIFICATE-" in self.data):
            raise self._unusable("is no public key", alg)
        return self.attesting(alg, kid)

    def attesting(self, alg: str, kid: str | None) -> tuple[Key, ...]:
        """As `verifying`, and the key of a certificate is one."""
        found = tuple(key for key in self._fitting(alg, kid) if key.verifies(alg))
        if not found:
            raise self._unusable("does not verify", alg)
        return found

    def mac(self, alg: str, data: bytes) -> bytes:
        """The MAC of `data` with these very bytes as the secret, whatever they are: the way of the reference."""
        self._tell_of_secret(alg)
        return hmac.digest(self.data, data, f"sha{alg[2:]}")

    def _fitting(self, alg: str, kid: str | None) -> tuple[Key, ...]:
        if alg not in USABLE:
            raise self._unusable("no such algorithm", alg)
        try:
            if is_mac(alg) and not self._jwk_read:
                return (self._secret(alg),)
            keys = self._parsed()
            return keys.candidates(alg, kid, most_tries=4) if isinstance(keys, KeySet) else (keys,)
        except (KeyRefused, TokenRefused) as refusal:
            raise self._unusable(refusal.reason, alg) from None

    def _parsed(self) -> Key | KeySet:
        if self._keys is None:
            if self._jwk_read:
                self._keys = _jwk_set(self.data)
            else:
                key = self._keys = Key.from_pem(self.data, least_rsa_bits=_LEAST_RSA_BITS)
                if key.kty == "RSA" and key.bits < ALGORITHMS["RS256"].least_bits:
                    self._warn(f"RSA key of {key.bits} bits in {self._name}: RFC 7518 wants 2048")
        return self._keys

    def _secret(self, alg: str) -> Key:
        key = self._secrets.get(alg)
        if key is None:
            key = self._secrets[alg] = Key.secret(
                self.data,
                alg=alg,
                short_secret_allowed_for_legacy_credential=True,
                guessable_secret_allowed_for_legacy_credential=True,
            )
            self._tell_of_secret(alg)
        return key

    def _tell_of_secret(self, alg: str) -> None:
        if alg in self._told:
            return
        bits, least = len(self.data) * 8, ALGORITHMS[alg].least_bits
        if bits < least:
            self._warn(f"secret of {bits} bits in {self._name}: {alg} wants {least}")
        if self.data[-1:].isspace() and not self._told:
            self._warn(f"the secret in {self._name} ends in white space, which is part of it")
        self._told.add(alg)

    def _unusable(self, why: str, alg: str) -> Failed:
        return Failed("key-unusable", f"key unusable for {alg}: {self._name} ({why})")


class _Identity(NamedTuple):
    """What tells one content of a file from another without reading it."""

    device: int
    number: int
    size: int
    modified_ns: int
    changed_ns: int


class _Kept(NamedTuple):
    text: KeyText
    identity: _Identity
    settled: bool


class KeyTexts:
    """Every key in use, by path and by text; at most 256 of each."""

    def __init__(self, settings: Settings, warn: Warn) -> None:
        self._for_ever = settings.key_mode == 1
        self._compat = settings.compat
        self._trimmed = settings.hmac_key == "trim"
        self._warn = warn
        self._files: dict[str, _Kept] = {}
        self._texts: dict[str, KeyText] = {}

    def parse_anew(self) -> None:
        """As `KeyText.parse_anew`, for every key there is."""
        for text in (*(kept.text for kept in self._files.values()), *self._texts.values()):
            text.parse_anew()

    def at(self, path: str) -> KeyText:
        """The key in a file. `Failed` with `key-unreadable`, naming the path."""
        kept = self._files.get(path)
        if kept is not None and self._for_ever:
            return kept.text
        try:
            seen, settled = _look(path)
            if kept is not None and kept.settled and kept.identity == seen:
                return kept.text
            with Path(path).open("rb") as file:
                data = file.read(MOST_KEY_BYTES + 1)
        except (OSError, ValueError):
            raise Failed("key-unreadable", f"failed to read key file: {path}") from None
        text = self._text(data, path)
        if kept is not None and kept.text.data == text.data:
            text = kept.text
        _make_room(self._files, path)
        self._files[path] = _Kept(text, seen, settled)
        return text

    def of(self, text: str) -> KeyText:
        """The key in a text, white space around it aside. `Failed` with `key-unreadable` when nothing is left."""
        held = self._texts.get(text)
        if held is None:
            data = text.encode("utf-8", "surrogateescape").strip(_SPACE)
            held = self._text(data, "key text")
            _make_room(self._texts, text)
            self._texts[text] = held
        return held

    def _text(self, data: bytes, name: str) -> KeyText:
        if len(data) > MOST_KEY_BYTES:
            if not self._compat:
                raise Failed("key-unreadable", f"key file too long, at most {MOST_KEY_BYTES} bytes: {name}")
            data = data[:MOST_KEY_BYTES]
        if self._trimmed:
            data = data.strip(_SPACE)
        if not data:
            raise Failed("key-unreadable", f"unable to read key file content: {name}")
        return KeyText(data, name, jwk_read=not self._compat, warn=self._warn)


def _look(path: str) -> tuple[_Identity, bool]:
    found = os.stat(path)  # noqa: PTH116 - the quicker spelling, and on the way of every call
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("not a file")
    changed = max(found.st_mtime, found.st_ctime)
    identity = _Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return identity, time.time() - changed > _SETTLED_SECONDS


def _make_room(kept: dict[str, _Kept] | dict[str, KeyText], name: str) -> None:
    if len(kept) >= _MOST_KEPT and name not in kept:
        del kept[next(iter(kept))]


def _jwk_set(data: bytes) -> KeySet:
    try:
        members = parse_json_object(data, limit_bytes=MOST_KEY_BYTES)
    except ValueError:
        raise KeyRefused("key_set_malformed") from None
    return KeySet.parse_local(members) if "keys" in members else KeySet([Key.from_jwk(members)])
