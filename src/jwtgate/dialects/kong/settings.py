"""How Kong is told where to listen: `kong.conf`, its environment variables, and its habits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from jwtgate.dialects.dialect import Settings

PROXY = "0.0.0.0:8000, 0.0.0.0:8443 ssl"
ADMIN = "127.0.0.1:8001, 127.0.0.1:8444 ssl"
CONF = ".conf"
"""The ending of files that hold settings only."""


@dataclass(frozen=True, slots=True)
class KongSettings(Settings):
    """`trusted`: a file with certificates to trust besides, when Kong was told one."""

    trusted: str | None = None


def settings_of(texts: Sequence[tuple[str, bytes]], settings: Settings) -> KongSettings:
    """The settings with what they lack: from the environment, else from a `kong.conf`, else Kong's own defaults."""
    told: dict[str, str] = {}
    for name, data in texts:
        if name.endswith(CONF):
            told.update(_read(data.decode(errors="replace")))
    told.update(_of_environment(settings.environ))
    known = {each.name: getattr(settings, each.name) for each in fields(Settings)}
    found = KongSettings(**known)
    listens = _listens(told.get("proxy_listen", PROXY)), _listens(told.get("admin_listen", ADMIN))
    if not (found.listen or found.tls_listen):
        found = replace(found, listen=listens[0][0], tls_listen=listens[0][1])
    if not (found.admin_listen or found.admin_tls_listen):
        found = replace(found, admin_listen=listens[1][0], admin_tls_listen=listens[1][1])
    if found.certificate is None and told.get("ssl_cert") and told.get("ssl_cert_key"):
        found = replace(found, certificate=told["ssl_cert"], private_key=told["ssl_cert_key"])
    return replace(found, trusted=_trusted(told.get("lua_ssl_trusted_certificate", "")))


def _read(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        found = re.match(r"\s*([a-z0-9_]+)\s*=\s*(.*?)\s*(?:#.*)?$", line)
        if found:
            yield found[1], found[2]


def _of_environment(environ: Mapping[str, Any]) -> dict[str, str]:
    return {name.removeprefix("KONG_").lower(): value for name, value in environ.items() if name.startswith("KONG_")}


def _listens(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The plain addresses and those that speak TLS."""
    entries = [entry.split() for entry in text.split(",") if entry.strip() not in ("", "off")]
    plain = tuple(words[0] for words in entries if "ssl" not in words[1:])
    return plain, tuple(words[0] for words in entries if "ssl" in words[1:])


def _trusted(text: str) -> str | None:
    files = [entry.strip() for entry in text.split(",") if entry.strip() not in ("", "system")]
    return files[0] if files else None
