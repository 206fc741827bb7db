"""Where requests go and what becomes of them on the way, as the plan has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from jwtgate.config.compile.issued import compile_value
from jwtgate.config.expressions import compiled_expression
from jwtgate.config.patterns import PathPattern
from jwtgate.config.sections.document import PathsSection
from jwtgate.config.sections.routes import RouteSection
from jwtgate.config.sections.section import split_url
from jwtgate.config.sections.traffic.editing import RequestHeadersSection, RespondSection, ResponseHeadersSection
from jwtgate.config.sections.traffic.upstreams import (
    EjectionSection,
    HashedFieldSection,
    HealthCheckSection,
    TargetSection,
    UpstreamSection,
)
from jwtgate.config.sections.values import FieldSection, ValueSection
from jwtgate.jose.encoding import JSON
from jwtgate.policy.provisions import Form, IdentityField, Origin, Value
from jwtgate.policy.request import PathRules
from jwtgate.policy.rooms.listed import Conditions
from jwtgate.policy.rooms.rewrite import fold
from jwtgate.policy.traffic.forwarding import (
    PathForm,
    RespondAsCalled,
    Responding,
    RespondRefusal,
    RespondWorded,
    Rewriting,
    form_of,
    worded_answer,
)
from jwtgate.policy.traffic.upstreams import Balance, Ejection, HashedBy, HashKey, HealthCheck, Target, Upstream

_DEFAULT_PORTS = {"http": 80, "https": 443}


def compile_upstream(name: str, section: UpstreamSection) -> Upstream:
    """Where allowed requests go. Targets without a weight are left out, and one named twice is one that weighs more."""
    targets: dict[Target, int] = {}
    for target in map(_target, section.targets):
        place = replace(target, weight=0)
        targets[place] = targets.get(place, 0) + target.weight
    settings = section.model_dump(exclude={"targets", "balance", "hash_by", "health_check", "ejection"})
    return Upstream(
        name,
        tuple(replace(place, weight=weight) for place, weight in targets.items() if weight),
        balance=Balance(section.balance),
        hash_by=_hash_key(section.hash_by),
        health_check=_health_check(section.health_check),
        ejection=_ejection(section.ejection),
        **settings,
    )


def _hash_key(section: HashedFieldSection | str | None) -> HashKey | None:
    if section is None or isinstance(section, str):
        return None if section is None else HashKey(HashedBy(section))
    if section.header is not None:
        return HashKey(HashedBy.HEADER, section.header.lower().encode())
    return HashKey(HashedBy.COOKIE, (section.cookie or "").encode())


def _health_check(section: HealthCheckSection | None) -> HealthCheck | None:
    if section is None:
        return None
    statuses = frozenset(section.statuses or range(200, 300))
    return HealthCheck(**section.model_dump(exclude={"statuses"}), statuses=statuses)


def _ejection(section: EjectionSection | None) -> Ejection | None:
    if section is None:
        return None
    return Ejection(**section.model_dump(exclude={"statuses"}), statuses=frozenset(section.statuses))


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
        ports=frozenset(match.ports) if match.ports is not None else None,
        clients=tuple(map(ip_network, match.clients)) if match.clients is not None else None,
        fields=tuple(
            (name.lower().encode(), frozenset(value.lower().encode() for value in values))
            for name, values in match.headers.items()
        ),
        when=compiled_expression(match.when) if match.when is not None else None,
    )


def compile_path_rules(paths: PathsSection) -> PathRules:
    """How ambiguous paths are read."""
    return PathRules(
        merge_repeated_slashes=paths.repeated_slashes == "merge",
        keep_repeated_slashes=paths.repeated_slashes == "keep",
        keep_encoded_slashes=paths.encoded_slashes == "keep",
        keep_parameters=paths.parameters == "keep",
    )


def compile_rewriting(section: RouteSection, rules: PathRules, first: str) -> Rewriting | None:
    """What the upstream is asked for instead, if anything. `first` is the slot meant where none is named."""
    rewrite = section.rewrite
    if rewrite is None:
        return None
    pattern = None if rewrite.pattern is None else PathPattern(rewrite.pattern, rewrite.replacement or "")
    path = None if rewrite.path is None else compile_value(rewrite.path, first)
    written_out = path is not None and path.origin is Origin.CONSTANT
    return Rewriting(
        method=rewrite.method,
        path=str(path.constant) if path is not None and written_out else None,
        stripped=path_forms(section) if rewrite.strip_matched_prefix else (),
        pattern=pattern,
        prefix=rewrite.add_prefix or "",
        rules=rules,
        path_value=None if written_out else path,
        query_value=None if rewrite.query is None else compile_value(rewrite.query, first),
    )


def compile_edits(section: RouteSection, first: str) -> dict[str, Any]:
    """The header fields a route sets on the way, in both directions, and those an answer loses."""
    sent, answered = section.request_headers, section.response_headers
    return {
        "sent_fields": _fields(sent, first),
        "answer_fields": tuple(map(_visible, (*_fields(answered, first), *_own_fields(section.respond, first)))),
        "answer_removed": _lower((*answered.set, *answered.remove) if answered is not None else ()),
    }


def edited_fields(section: RouteSection) -> frozenset[bytes]:
    """The fields of the client's own (lower case) that a request loses since the route sets or removes them."""
    sent = section.request_headers
    if sent is None:
        return frozenset()
    # What is set counts however an upstream may read its name; a client's own names are plain.
    return _lower(sent.remove) | {fold(name.encode()) for name in sent.set}


def _fields(section: RequestHeadersSection | ResponseHeadersSection | None, first: str) -> tuple[IdentityField, ...]:
    if section is None:
        return ()
    return tuple(compile_field(name, entry, first) for name, entry in (*section.set.items(), *section.add.items()))


def _own_fields(section: RespondSection | None, first: str) -> Iterator[IdentityField]:
    if section is not None:
        yield from (compile_field(name, entry, first) for name, entry in section.headers.items())


def _visible(field: IdentityField) -> IdentityField:
    """The field as a client reads it, who knows nothing of how values are escaped for upstreams."""
    return replace(field, form=Form.VISIBLE) if field.form is Form.TEXT else field


def _lower(names: Iterable[str]) -> frozenset[bytes]:
    return frozenset(name.lower().encode() for name in names)


@lru_cache(maxsize=1024)
def compile_field(name: str, section: FieldSection, first: str) -> IdentityField:
    """A header field with a value. `first` is the slot meant where none is named."""
    if section.origin == "claims":
        value = Value(Origin.CLAIMS, slot=section.slot or first)
        return IdentityField(name.encode(), value, Form(section.form or "base64url"), section.separator)
    value = compile_value(section, first)
    if value.origin is Origin.CONSTANT:  # the document's own text stands as it is
        return IdentityField(name.encode(), value, Form.VISIBLE)
    return IdentityField(name.encode(), value, Form(section.form or "text"), section.separator)


def compile_respond(section: RespondSection, first: str) -> Responding:
    """An answer of our own. `first` is the slot meant where none is named."""
    if section.call is not None:
        told = (section.status, section.content_type)
        return RespondAsCalled(section.call, *(None if each is None else compile_value(each, first) for each in told))
    if section.refusal is not None:
        return RespondRefusal(section.refusal)
    as_json = section.json_body is not None
    body = section.json_body or section.body
    status = _value(section.status, first, otherwise=200)
    said = _value(body, first, otherwise="")
    media_type = _value(section.content_type, first, otherwise=None)
    if {status.origin, said.origin, media_type.origin} == {Origin.CONSTANT}:
        return worded_answer(status.constant, said.constant, media_type=media_type.constant, as_json=as_json)
    return RespondWorded(status, said, media_type, as_json=as_json)


def _value(section: ValueSection | None, first: str, *, otherwise: JSON) -> Value:
    return Value(Origin.CONSTANT, constant=otherwise) if section is None else compile_value(section, first)
