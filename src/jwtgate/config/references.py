"""The secret stores the references of a document, `${KIND:WHERE}`, may lead to.

They are known before the document itself is looked at, so that they can be asked first; and so is which of its
references may lead nowhere yet.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jwtgate.config.compile.places import compile_secret_store
from jwtgate.config.parts import check_part
from jwtgate.config.source import Plain
from jwtgate.policy.sources import SecretStore


def secret_stores_of(plain: Plain, folder: Path, *, resolve: Callable[[str], str]) -> tuple[SecretStore, ...]:
    """The secret stores of a document, from its data before anything else in it is looked at. `ConfigError`.

    `resolve` expands references to `env` and `file`, the only ones a secret store may use.
    """
    section = plain.get("secret_stores") if isinstance(plain, dict) else None
    stores = check_part("secret_stores", {} if section is None else section, folder=folder, resolve=resolve)
    return tuple(compile_secret_store(name, store) for name, store in stores.items())


def must_resolve(plain: Plain) -> Plain:
    """The data of a document without that in which references may lead nowhere, or are none."""
    if not isinstance(plain, dict):
        return plain
    plain = {name: each if name == "consumers" else _without_expressions(each) for name, each in plain.items()}
    if not isinstance(plain.get("consumers"), dict):
        return plain
    return {**plain, "consumers": {name: consumer_must_resolve(each) for name, each in plain["consumers"].items()}}


def _without_expressions(plain: Plain) -> Plain:
    """The data without the texts of expressions, in which `${` is of their own language."""
    if isinstance(plain, list):
        return [_without_expressions(each) for each in plain]
    if not isinstance(plain, dict):
        return plain
    of_language = isinstance(plain.get("language"), str)
    return {
        name: _without_expressions(each) for name, each in plain.items() if not (of_language and name == "expression")
    }


def consumer_must_resolve(plain: Plain) -> Plain:
    """The data of a consumer without its annotations, and without credentials that may wait for their secrets."""
    if not isinstance(plain, dict):
        return plain
    credentials = plain.get("credentials")
    if isinstance(credentials, dict):
        plain = {**plain, "credentials": {name: each for name, each in credentials.items() if not _may_wait(each)}}
    return {name: value for name, value in plain.items() if name != "annotations"}


def may_resolve(plain: Plain) -> tuple[Plain, ...]:
    """The credentials of a consumer that may wait for their secrets."""
    credentials = plain.get("credentials") if isinstance(plain, dict) else None
    return tuple(each for each in credentials.values() if _may_wait(each)) if isinstance(credentials, dict) else ()


def all_that_may_resolve(plain: Plain) -> tuple[Plain, ...]:
    """The credentials of all consumers of a document that may wait for their secrets."""
    consumers = plain.get("consumers") if isinstance(plain, dict) else None
    if not isinstance(consumers, dict):
        return ()
    return tuple(found for each in consumers.values() for found in may_resolve(each))


def _may_wait(credential: Plain) -> bool:
    return isinstance(credential, dict) and credential.get("may_wait_for_its_secrets") is True
