"""The `settings` of a configuration: which of them mean something here."""

from __future__ import annotations

from collections.abc import Mapping

from jwtgate.dialects.couper.translation.draft import Draft, Section

_FIELD = "Couper-Request-ID"
_KEPT = frozenset(
    {
        "default_port",
        "port",
        "bind_address",
        "health_path",
        "ca_file",
        "environment",
        "couper_compat",
        "request_id_client_header",
    }
    | {"jwks_accept_missing_use", "jwks_refetch_on_unknown_kid", "introspection_failure_status"}
    | {"undefined_permission_is_none", "ignore_crit"}
)
_LOGS = "The log is one line of JSON a request, and nothing less."
_SENTENCES: Mapping[str, str] = {
    "log_format": _LOGS,
    "log_level": _LOGS,
    "log_pretty": _LOGS,
    "request_id_format": "The format of the ids is ours.",
    "request_id_accept_from_header": "A client's own id is taken from X-Request-Id.",
    "request_id_backend_header": "The id has the same name on both sides, that of request_id_client_header.",
    "secure_cookies": "Cookies are passed on as they come.",
    "https_dev_proxy": "TLS is told to listeners.",
    "xfh": "Whom to trust is said with trusted_proxies of a document of ours.",
    "accept_forwarded_url": "Whom to trust is said with trusted_proxies of a document of ours.",
    "no_proxy_from_env": "No proxy is used between here and a backend.",
    "telemetry_metrics": "Metrics are at /metrics of status_listen.",
}
_OTHERWISE = "It changes nothing here."


def note_settings(draft: Draft) -> None:
    """Say of every setting that it means something else, or nothing."""
    for name, place in draft.configuration.settings.places.items():
        here = f"{place.file}:{place.line} settings/{name}"
        if name in ("ignore_crit", "couper_compat") and draft.option("ignore_crit"):
            draft.notes.refused(here, "A token whose crit names what nobody here knows is refused, whatever it is.")
        elif name not in _KEPT:
            draft.notes.changed(here, _SENTENCES.get(name, _OTHERWISE))


def own_fields(draft: Draft) -> Section:
    """The name of the field that carries the id of a request."""
    told = draft.option("request_id_client_header")
    return {"request_id_field": told if isinstance(told, str) and told else _FIELD}
