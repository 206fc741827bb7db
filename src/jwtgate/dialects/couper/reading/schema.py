"""What may stand in which block, and what Couper has that is not served here, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum

from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.mistakes import Mistakes


class Labels(Enum):
    """How many labels a block has."""

    NONE = "none"
    OPTIONAL = "optional"
    ONE = "one"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class _Child:
    """A block inside another: its labels, whether one is all there may be, and under which name its own rules stand."""

    labels: Labels = Labels.NONE
    once: bool = False
    rules: str = ""


@dataclass(frozen=True, slots=True)
class _Rules:
    """What may stand in a block."""

    attributes: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    blocks: Mapping[str, _Child] = field(default_factory=dict)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _edits(*whats: str) -> frozenset[str]:
    return frozenset(f"{verb}_{what}" for what in whats for verb in ("set", "add", "remove"))


RESPONSE_EDITS = _edits("response_headers")
REQUEST_EDITS = _edits("request_headers", "query_params", "form_params")
_ALL_EDITS = RESPONSE_EDITS | REQUEST_EDITS
_ACCESS = frozenset({"access_control", "disable_access_control", "error_file", "custom_log_fields"})
_SETTINGS = (
    "accept_forwarded_url bind_address ca_file environment health_path https_dev_proxy log_format log_level log_pretty "
    "default_port no_proxy_from_env pprof pprof_port port request_id_accept_from_header request_id_backend_header "
    "request_id_client_header request_id_format secure_cookies server_timing_header xfh beta_metrics "
    "beta_metrics_port beta_service_name"
)
_COMPATIBILITY = _names(
    "undefined_permission_is_none ignore_crit jwks_accept_missing_use jwks_refetch_on_unknown_kid "
    "introspection_failure_status"
)
"""Settings of jwtgate's own: where it is stricter than Couper unless told otherwise."""
_HANDLER = _Child(Labels.ANY)
_BACKEND = _Child(Labels.OPTIONAL, once=True)
_WORK = {"proxy": _Child(Labels.OPTIONAL), "request": _Child(Labels.OPTIONAL), "response": _Child(once=True)}

_RULES: Mapping[str, _Rules] = {
    "": _Rules(
        blocks={
            "server": _Child(Labels.OPTIONAL),
            "definitions": _Child(once=True),
            "defaults": _Child(once=True),
            "settings": _Child(once=True),
        }
    ),
    "settings": _Rules(
        _names(_SETTINGS) | _COMPATIBILITY | {"couper_compat"}, blocks={"couper_compat": _Child(once=True)}
    ),
    "couper_compat": _Rules(_COMPATIBILITY),
    "defaults": _Rules(frozenset({"environment_variables"})),
    "definitions": _Rules(
        blocks={
            "jwt": _Child(Labels.ONE),
            "jwt_signing_profile": _Child(Labels.ONE),
            "basic_auth": _Child(Labels.ONE),
            "backend": _Child(Labels.ONE),
            "proxy": _Child(Labels.ONE, rules="proxy definition"),
        }
    ),
    "server": _Rules(
        _ACCESS | RESPONSE_EDITS | {"hosts", "base_path"},
        blocks={
            "api": _Child(Labels.OPTIONAL),
            "endpoint": _Child(Labels.ONE),
            "files": _Child(Labels.OPTIONAL),
            "spa": _Child(Labels.OPTIONAL),
            "cors": _Child(once=True),
        },
    ),
    "files": _Rules(
        _ACCESS | RESPONSE_EDITS | {"base_path", "document_root"},
        required=("document_root",),
        blocks={"cors": _Child(once=True)},
    ),
    "spa": _Rules(
        _ACCESS | RESPONSE_EDITS | {"base_path", "bootstrap_file", "paths"},
        required=("bootstrap_file", "paths"),
        blocks={"cors": _Child(once=True)},
    ),
    "api": _Rules(
        _ACCESS | RESPONSE_EDITS | {"base_path", "allowed_methods", "required_permission"},
        blocks={"endpoint": _Child(Labels.ONE), "cors": _Child(once=True), "error_handler": _HANDLER},
    ),
    "endpoint": _Rules(
        _ACCESS
        | _ALL_EDITS
        | {"allowed_methods", "required_permission", "request_body_limit", "proxy", "set_response_status"},
        blocks={**_WORK, "error_handler": _HANDLER},
    ),
    "error_handler": _Rules(
        _ALL_EDITS | {"proxy", "set_response_status", "custom_log_fields", "error_file"}, blocks=_WORK
    ),
    "proxy": _Rules(_ALL_EDITS | {"url", "backend", "expected_status"}, blocks={"backend": _BACKEND}),
    "proxy definition": _Rules(
        _ALL_EDITS | {"url", "backend", "expected_status", "name"}, blocks={"backend": _BACKEND}
    ),
    "request": _Rules(
        _names("url backend method headers query_params body json_body form_body expected_status"),
        blocks={"backend": _BACKEND},
    ),
    "response": _Rules(frozenset({"status", "headers", "body", "json_body"})),
    "backend": _Rules(
        _ALL_EDITS
        | _names("origin hostname path path_prefix basic_auth connect_timeout ttfb_timeout timeout")
        | _names("max_connections disable_certificate_validation disable_connection_reuse http2")
        | {"set_response_status", "custom_log_fields"},
    ),
    "cors": _Rules(frozenset({"allowed_origins", "allow_credentials", "max_age", "disable"})),
    "jwt": _Rules(
        _names("signature_algorithm key key_file jwks_url jwks_ttl jwks_max_stale backend bearer beta_dpop")
        | _names("cookie header token_value claims required_claims permissions_claim permissions_map")
        | _names("permissions_map_file roles_claim roles_map roles_map_file signing_key signing_key_file")
        | {"signing_ttl", "disable_private_caching", "custom_log_fields"},
        blocks={"backend": _BACKEND, "beta_introspection": _Child(once=True), "error_handler": _HANDLER},
    ),
    "jwt_signing_profile": _Rules(
        frozenset({"signature_algorithm", "key", "key_file", "ttl", "claims", "headers"}),
        required=("signature_algorithm", "ttl"),
    ),
    "beta_introspection": _Rules(
        frozenset({"endpoint", "backend", "client_id", "client_secret", "endpoint_auth_method", "ttl"}),
        required=("endpoint", "ttl"),
        blocks={"backend": _BACKEND, "jwt_signing_profile": _Child(once=True)},
    ),
    "basic_auth": _Rules(
        frozenset({"user", "password", "realm", "custom_log_fields"}), blocks={"error_handler": _HANDLER}
    ),
}

REFUSED_ACCESS_CONTROLS = {
    "oidc": "Logging users in belongs to an identity provider's client.",
    "saml": "Only tokens and basic credentials are proven here.",
    "beta_oauth2": "Logging users in belongs to an identity provider's client.",
    "beta_external_authz": "Decisions are made here, not asked for.",
    "beta_rate_limiter": "Its counters have no counterpart here.",
}
_REFUSED_BLOCKS = {
    **REFUSED_ACCESS_CONTROLS,
    "job": "Nothing runs here without a request.",
    "beta_job": "Nothing runs here without a request.",
    "tls": "Certificates belong to the listeners and upstreams of jwtgate.",
    "websockets": "No connection changes its protocol here; a document of ours can say `upgrade: websocket`.",
    "openapi": "Requests are not checked against a description.",
    "oauth2": "Tokens for upstreams are not asked for.",
    "beta_token_request": "Tokens for upstreams are not asked for.",
    "health": "The health of upstreams is told by jwtgate's own settings.",
    "beta_health": "The health of upstreams is told by jwtgate's own settings.",
    "beta_rate_limit": "Requests to upstreams are not counted.",
}
_REFUSED_ATTRIBUTES = {
    "htpasswd_file": "One user and a password can be told, not a file of them.",
    "bootstrap_data": "Pages are served as they are.",
    "use_when_unhealthy": "The health of upstreams is told by jwtgate's own settings.",
    "websockets": "No connection changes its protocol here; a document of ours can say `upgrade: websocket`.",
    "http_proxy": "Upstreams are reached without a proxy between.",
}


def check_schema(root: Block, mistakes: Mistakes) -> None:
    """Note every block, attribute and label that may not stand where it does, and every one that is missing."""
    _check(root, _RULES[""], mistakes)


def _check(block: Block, rules: _Rules, mistakes: Mistakes) -> None:
    _check_attributes(block, rules, mistakes)
    seen: set[str] = set()
    for child in block.blocks:
        rule = rules.blocks.get(child.type)
        if rule is None:
            _refuse_block(child, mistakes)
            continue
        if rule.once and child.type in seen:
            parent = block.type or "a file"
            mistakes.at(child.place, f"Multiple definitions of {child.type} are not allowed in {parent}.")
        seen.add(child.type)
        _check_labels(child, rule.labels, mistakes)
        _check(child, _RULES[rule.rules or child.type], mistakes)


def _check_attributes(block: Block, rules: _Rules, mistakes: Mistakes) -> None:
    for name, attribute in block.attributes.items():
        if name in rules.attributes:
            continue
        if reason := _REFUSED_ATTRIBUTES.get(name):
            mistakes.at(attribute.place, f"{name} is not supported", detail=reason)
            continue
        detail = f'An argument named "{name}" is not expected here.{_meant(name, rules.attributes)}'
        mistakes.at(attribute.place, "Unsupported argument", detail=detail)
    for name in rules.required:
        if name not in block.attributes:
            detail = f'The argument "{name}" is required, but no definition was found.'
            mistakes.at(block.place, "Missing required argument", detail=detail)


def _meant(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f' Did you mean "{nearest[0]}"?' if nearest else ""


def _refuse_block(block: Block, mistakes: Mistakes) -> None:
    if reason := _REFUSED_BLOCKS.get(block.type):
        mistakes.at(block.place, f"{block.type} is not supported", detail=reason)
        return
    mistakes.at(block.place, "Unsupported block type", detail=f'Blocks of type "{block.type}" are not expected here.')


def _check_labels(block: Block, labels: Labels, mistakes: Mistakes) -> None:
    if labels is Labels.ANY:
        return
    if labels is Labels.ONE and not block.labels:
        mistakes.at(block.place, "missing label")
    most = 0 if labels is Labels.NONE else 1
    for label in block.labels[most:]:
        mistakes.at(label.place, f"Extraneous label for {block.type}", detail=f"At most {most} is expected here.")
