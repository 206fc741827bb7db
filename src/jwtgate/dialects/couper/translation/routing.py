"""Which requests an endpoint takes: paths as templates, the order they are tried in, hosts and ports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from jwtgate.dialects.couper.reading.configuration import Server
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.notebook import place_of

_WILDCARD = "**"
_DEFAULT_PORT = 8080
_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")

Rank = tuple[tuple[int, str], ...]


def templates_of(path: str) -> list[str]:
    """The templates of an endpoint's path: with a slash at its end and without, and for `/**` all that is below."""
    stem, below = (path.removesuffix(f"/{_WILDCARD}"), True) if path.endswith(f"/{_WILDCARD}") else (path, False)
    stem = stem.rstrip("/")
    if below:
        return [stem, f"{stem}/*"] if stem else ["/*"]
    return [stem, f"{stem}/"] if stem else ["/"]


def below(base_path: str) -> str:
    """The path of everything in a base path."""
    return f"{base_path.rstrip('/')}/{_WILDCARD}"


def is_template(path: str) -> bool:
    """Whether each parameter of the path is a whole segment, with a name of ours."""
    return all(_PARAMETER.fullmatch(segment) for segment in path.split("/") if "{" in segment or "}" in segment)


def rank(path: str) -> Rank:
    """What paths are sorted by: text before parameters before everything below, segment for segment."""
    return (*(_rank(segment) for segment in path.rstrip("/").split("/")), (0, ""))


def _rank(segment: str) -> tuple[int, str]:
    if segment == _WILDCARD:
        return 3, ""
    return (2, "") if segment.startswith("{") else (1, segment)


def ports_of(server: Server, default: int) -> list[int]:
    """The ports a server listens on."""
    named = [_split(host)[1] for host in server.hosts]
    return list(dict.fromkeys(port or default for port in named)) or [default]


def default_port(settings: Mapping[str, object]) -> int:
    """The port of `settings`, or Couper's own."""
    told = settings.get("default_port", settings.get("port"))
    return told if isinstance(told, int) and not isinstance(told, bool) else _DEFAULT_PORT


def hosts_of(draft: Draft, server: Server, others: Iterable[Server]) -> Section:
    """What of a request's host a route of this server looks at."""
    default = default_port(draft.configuration.settings.values)
    named = [_split(host)[0] for host in server.hosts]
    keys: Section = {} if not named or "*" in named else {"hosts": list(dict.fromkeys(named))}
    ports = ports_of(server, default)
    if all(ports_of(other, default) == ports for other in others):
        return keys
    draft.notes.changed(f"{place_of(server)}/hosts", "A port is told from others by the Host field of a request.")
    return {**keys, "match": {"when": " || ".join(f"request.headers.host.endsWith(':{port}')" for port in ports)}}


def particular_first(servers: Sequence[Server]) -> list[Server]:
    """The servers, those for any host last."""
    return sorted(servers, key=lambda server: not server.hosts or any(_split(host)[0] == "*" for host in server.hosts))


def _split(host: str) -> tuple[str, int | None]:
    name, _, port = host.rpartition(":")
    return (name.lower(), int(port)) if name and port.isdigit() else (host.lower(), None)
