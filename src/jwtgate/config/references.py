"""References of a document, `${KIND:WHERE}`: which there are, and the secret stores they may lead to.

Both are known before the document itself is looked at, so that the stores can be asked first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from jwtgate.config.compile.places import compile_secret_store
from jwtgate.config.parts import check_part
from jwtgate.config.source import Plain
from jwtgate.policy.sources import SecretStore

_REFERENCE = re.compile(r"\$?\$\{([^{}]*)\}")


def references(plain: Plain) -> frozenset[str]:
    """What stands inside of `${...}` in any text of this data; `$${` begins none."""
    return frozenset(_found(plain))


def _found(value: Plain) -> Iterator[str]:
    if isinstance(value, str):
        yield from (found[1] for found in _REFERENCE.finditer(value) if not found[0].startswith("$$"))
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _found(item)


def secret_stores_of(plain: Plain, folder: Path, *, resolve: Callable[[str], str]) -> tuple[SecretStore, ...]:
    """The secret stores of a document, from its data before anything else in it is looked at. `ConfigError`.

    `resolve` expands references to `env` and `file`, the only ones a secret store may use.
    """
    section = plain.get("secret_stores") if isinstance(plain, dict) else None
    stores = check_part("secret_stores", {} if section is None else section, folder=folder, resolve=resolve)
    return tuple(compile_secret_store(name, store) for name, store in stores.items())
