"""The secret stores the references of a document, `${KIND:WHERE}`, may lead to.

They are known before the document itself is looked at, so that they can be asked first.
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
