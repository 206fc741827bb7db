"""Where requests go and what becomes of them on the way, as the plan has it."""

from __future__ import annotations

from ipaddress import ip_network

from jwtgate.config.expressions import compiled_expression
from jwtgate.config.patterns import PathPattern
from jwtgate.config.sections.routes import RouteSection
from jwtgate.config.sections.section import split_url
from jwtgate.config.sections.traffic.editing import RespondSection
from jwtgate.config.sections.traffic.upstreams import TargetSection, UpstreamSection
from jwtgate.jose.encoding import json_bytes
from jwtgate.policy.forwarding import PathForm, Respond, Rewriting, form_of
from jwtgate.policy.plan import Target, Upstream
from jwtgate.policy.rooms.listed import Conditions

_DEFAULT_PORTS = {"http": 80, "https": 443}


def compile_upstream(name: str, section: UpstreamSection) -> Upstream:
    """Where allowed requests go. Targets without a weight are left out."""
    settings = section.model_dump(exclude={"targets"})
    return Upstream(name, tuple(_target(target) for target in section.targets if target.weight), **settings)


def _target(section: TargetSection) -> Target:
    parts = split_url(section.url)
    host = parts.hostname or ""
    port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    authority = f"[{host}]" if ":" in host else host
    if port != _DEFAULT_PORTS[parts.scheme]:
        authority = f"{authority}:{port}"
    return Target(host, port, parts.scheme == "https", authority, section.weight)


def path_forms(section: RouteSection) -> tuple[PathForm, ...]:
    """The paths a route takes, in every form it says them; none: any path."""
    match = section.match
    prefixes = match.path_prefix or () if match is not None else ()
    patterns = [PathPattern(text) for text in match.path_pattern or ()] if match is not None else []
    return (
        *map(form_of, section.templates),
        *map(PathForm, prefixes),
        *(PathForm(pattern.literal, pattern=pattern) for pattern in patterns),
    )


def conditions_of(section: RouteSection) -> Conditions:
    """What a route asks of a request besides its host and path."""
    methods = frozenset(section.methods) if section.methods is not None else None
    match = section.match
    if match is None:
        return Conditions(methods)
    return Conditions(
        methods,
        schemes=frozenset(match.schemes) if match.schemes is not None else None,
        clients=tuple(map(ip_network, match.clients)) if match.clients is not None else None,
        fields=tuple(
            (name.lower().encode(), frozenset(value.lower().encode() for value in values))
            for name, values in match.headers.items()
        ),
        when=compiled_expression(match.when) if match.when is not None else None,
    )


def compile_rewriting(section: RouteSection) -> Rewriting | None:
    """What the upstream is asked for instead, if anything."""
    rewrite = section.rewrite
    if rewrite is None:
        return None
    pattern = None if rewrite.pattern is None else PathPattern(rewrite.pattern, rewrite.replacement or "")
    return Rewriting(
        method=rewrite.method,
        path=rewrite.path,
        stripped=path_forms(section) if rewrite.strip_matched_prefix else (),
        pattern=pattern,
        prefix=rewrite.add_prefix or "",
    )


def compile_respond(section: RespondSection) -> Respond:
    """An answer of our own."""
    is_text = isinstance(section.body, str)
    body = section.body.encode() if is_text else json_bytes(section.body)
    media_type = section.content_type or ("text/plain; charset=utf-8" if is_text else "application/json")
    return Respond(section.status, (("Content-Type", media_type), *section.headers.items()), body)
