"""Signing a token by hand under a signing profile of a document."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jwtgate.cli.answer import Answer
from jwtgate.cli.checking import Opened, open_document
from jwtgate.cli.toolkit.key_files import choose, read_keys
from jwtgate.control.state_folder import DATABASE
from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.encoding import JSON
from jwtgate.policy.provisions import Issue
from jwtgate.state.issued_tokens import IssuedTokens
from jwtgate.state.keys.external_signing_keys import read_given
from jwtgate.state.keys.keyring import Keyring, Signer, is_given, sealer_of
from jwtgate.state.profiles import sign_under_profile
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import StoreFailed


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the private key is unless the document says so: in a file, or in the state folder of a gateway."""

    file: Path | None = None
    state: Path | None = None


def sign(
    document: Path,
    name: str,
    claims: Mapping[str, JSON],
    *,
    place: KeyPlace,
    ttl_seconds: int | None,
    now: int,
) -> Answer:
    """The token, with these claims and those of the profile of this name."""
    opened = open_document(document)
    profile = opened.plan.profiles.get(name)
    if profile is None:
        names = ", ".join(opened.plan.profiles) or "none"
        raise ConfigError(f"{document}: has no signing profile {name!r}; it has {names}")
    try:
        tokens = IssuedTokens({profile.key: _signer(opened, profile, place)})
        token = sign_under_profile(profile, claims, issued_tokens=tokens, now=now, ttl_seconds=ttl_seconds)
    except DependencyFault as fault:
        raise ConfigError(f"{document}: cannot sign under the profile {name!r}: {fault}") from fault
    return Answer(token, {"token": token})


def _signer(opened: Opened, profile: Issue, place: KeyPlace) -> Signer:
    wanted = opened.plan.signing[profile.key]
    if place.file is not None:
        return Signer(choose(read_keys(place.file, algorithms=[wanted.alg]), None, place.file), wanted.alg)
    if wanted.url is None and is_given(wanted):
        given = read_given(wanted, opened.secrets.resolve)
        key = given.keys[0]
        return Signer(key, wanted.alg, () if key.is_symmetric else given.certificates.get(key.thumbprint(), ()))
    if place.state is None:
        raise ConfigError("add --state with the folder of the gateway's keys, or --key with a file")
    master_key = opened.plan.sources.master_key
    return _kept(place.state, wanted.name, None if master_key is None else opened.secrets.resolve(master_key))


def _kept(folder: Path, name: str, master_key: str | None) -> Signer:
    if not (folder / DATABASE).exists():
        raise ConfigError(f"{folder}: is no state folder of jwtgate; `jwtgate serve` makes one")
    sealer = None if master_key is None else sealer_of(master_key)
    try:
        store = SqliteStore(folder / DATABASE)
        try:
            return Keyring.open(store, wall=time.time, sealer=sealer).signer(name)
        finally:
            store.close()
    except StoreFailed as failure:
        raise ConfigError(f"{folder}: {failure}") from failure
