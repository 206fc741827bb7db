"""Which requests an endpoint takes: paths as templates, the order they are tried in, hosts and ports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from jwtgate.dialects.couper.reading.configuration import Server
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.notebook import place_of

_WILDCARD = "**"
_DEFAULT_PORT = 8080
PORT_VARIABLE = "COUPER_DEFAULT_PORT"
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


def default_port(settings: Mapping[str, object], environ: Mapping[str, str]) -> int:
    """The port of the environment, or of `settings`, or Couper's own."""
    if (said := environ.get(PORT_VARIABLE, "")).isdigit():
        return int(said)
    told = settings.get("default_port", settings.get("port"))
    return told if isinstance(told, int) and not isinstance(told, bool) else _DEFAULT_PORT


def hosts_of(draft: Draft, server: Server, others: Iterable[Server]) -> Section:
    """What of a request's host a route of this server looks at, and of the port it came to.

    Where other ports are listened on than the servers name, the port is that which the request names.
    """
    default = default_port(draft.configuration.settings.values, draft.settings.environ)
    named = [_split(host)[0] for host in server.hosts]
    keys: Section = {} if not named or "*" in named else {"hosts": list(dict.fromkeys(named))}
    ports = ports_of(server, default)
    if all(ports_of(other, default) == ports for other in others):
        return keys
    pairs = {(host, port or default) for host, port in map(_split, server.hosts)}
    if len(pairs) < len({host for host, _ in pairs}) * len(ports):
        draft.notes.changed(f"{place_of(server)}/hosts", "Each of these hosts is served on each of their ports.")
    if _are_listened_on(draft, {port for other in others for port in ports_of(other, default)}):
        return {**keys, "match": {"ports": ports}}
    draft.notes.changed(
        f"{place_of(server)}/hosts",
        "Its ports are not listened on: whoever names one of them in the Host field of a request is sent to it.",
    )
    return {**keys, "match": {"when": " || ".join(f"request.headers.host.endsWith(':{port}')" for port in ports)}}


def _are_listened_on(draft: Draft, ports: set[int]) -> bool:
    addresses = (*draft.settings.listen, *draft.settings.tls_listen)
    return ports <= {int(port) for address in addresses if (port := address.rpartition(":")[2]).isdigit()}


def particular_first(servers: Sequence[Server]) -> list[Server]:
    """The servers, those for any host last."""
    return sorted(servers, key=lambda server: not server.hosts or any(_split(host)[0] == "*" for host in server.hosts))


def _split(host: str) -> tuple[str, int | None]:
    name, _, port = host.rpartition(":")
    return (name.lower(), int(port)) if name and port.isdigit() else (host.lower(), None)
