"""APIs as routes of ours: where each is found, what it asks, and the backend it leads to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from jwtgate.dialects.dialect import as_name
from jwtgate.dialects.wso2.reading.configuration import HEADER
from jwtgate.dialects.wso2.translation.callers import is_bound, keys_of
from jwtgate.dialects.wso2.translation.draft import Draft, quoted
from jwtgate.dialects.wso2.translation.issuers import OPAQUE_ISSUER, consumer_claims
from jwtgate.dialects.wso2.translation.subscriptions import api_id, versioned
from jwtgate.dialects.wso2.translation.tokens import SLOT
from jwtgate.errors import ConfigError

_PARAMETER = re.compile(r"\{([^{}/]*)\}")
_OPEN = ("none", "open")
_OF_ITS_KEY_MANAGER = (
    "!has(consumer.attributes) || !has(consumer.attributes.key_manager) || !has(token.wso2.iss)"
    " || consumer.attributes.key_manager == token.wso2.iss"
)
_PARTLY = ("application", "application user", "application_user")


class Routes:
    """The routes of all APIs, their upstreams, and what a token says of the API by the name of each route."""

    def __init__(self, draft: Draft, issues: Callable[[str], list[dict[str, Any]]]) -> None:
        self._draft = draft
        self._issues = issues
        self.routes: dict[str, dict[str, Any]] = {}
        self.upstreams: dict[str, dict[str, Any]] = {}
        self.told: dict[str, dict[str, Any]] = {}
        keys = (key for application in draft.objects["applications"] for key in keys_of(application))
        self._has_bound_keys = any(is_bound(key, draft.objects) for key in keys)
        contexts = [api["context"].rstrip("/") for api in draft.objects["apis"]]
        for api in draft.objects["apis"]:
            self._add(api, is_only=contexts.count(api["context"].rstrip("/")) == 1)

    def _add(self, api: Mapping[str, Any], *, is_only: bool) -> None:
        whole, bare = versioned(api), api["context"].rstrip("/")
        places = [whole]
        if whole != bare and "{version}" not in bare and (is_only or api.get("default_version")):
            places.append(bare)
        self._draft.exact(f"apis/{api['name']}/{api['version']}")
        for place in places:
            for number, resource in enumerate(api.get("resources") or [{"path": "/*"}]):
                name = as_name(f"{place or '/'}{f'#{number}' if number else ''}")
                if name in self.routes:
                    raise ConfigError(f"{api['_file']}: two APIs have the context {place}.")
                self.routes[name] = self._route(api, place, resource)
                if "issue" in self.routes[name]:
                    self.told[name] = self._said_of(api, place)

    def _said_of(self, api: Mapping[str, Any], place: str) -> dict[str, Any]:
        invoked = api["context"] if self._draft.configuration.profile == "v1" else place or "/"
        told = {"id": api_id(api), "context": invoked}
        return told | {name: api[name] for name in ("name", "version", "provider", "tenant", "tier") if name in api}

    def _route(self, api: Mapping[str, Any], place: str, resource: Mapping[str, Any]) -> dict[str, Any]:
        upstream, base = self._upstream(api)
        route: dict[str, Any] = {
            "paths": _templates(place, resource.get("path", "/*")),
            **_methods(resource),
            **self._asked(api, resource),
            "upstream": upstream,
            "rewrite": {"pattern": f"^{re.escape(place)}/?", "replacement": f"{base}/".replace("\\", "\\\\")},
        }
        # On every route: whether another one issues a token is no matter of this one's backend.
        if self._draft.configuration.strip_client_assertion:
            route["request_headers"] = {"remove": sorted({HEADER, self._draft.configuration.header})}
        return route

    def _asked(self, api: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
        where = f"apis/{api['name']}/{api['version']}{resource.get('path', '')}"
        asked = str(resource.get("auth", "any")).lower()
        if asked in _OPEN:
            return {"auth": "none"}
        if asked in _PARTLY:
            self._draft.changed(f"{where}/auth", "Tokens of applications and of users are both taken.")
        draft, scopes = self._draft, _words(resource.get("scopes"))
        validated = self._validates()
        slot: dict[str, Any] = {
            "from": _sources(draft),
            "issuers": [*dict.fromkeys(issuer["name"] for issuer in draft.objects["issuers"]), OPAQUE_ISSUER],
        }
        slot["issuers"] = [as_name(name) for name in slot["issuers"]]
        if len(slot["issuers"]) > 1:
            slot["consumer"] = {"claim": consumer_claims(draft), "by": ["external_id"], "required": validated}
        if scopes:
            slot["scope"] = {"any": scopes}
        route: dict[str, Any] = {"auth": "required", "slots": {SLOT: slot}}
        conditions = [f"{quoted(api_id(api))} in consumer.groups"] if validated else []
        if self._has_bound_keys:
            conditions.append(_OF_ITS_KEY_MANAGER)
        if conditions:
            route["require"] = conditions
        issued = self._issues(api_id(api))
        return route | ({"issue": issued} if issued else {})

    def _validates(self) -> bool:
        """Whether a caller's application needs a subscription; where there are no applications nobody has one."""
        said = self._draft.configuration.subscription_validation
        return bool(self._draft.objects["applications"]) if said is None else said

    def _upstream(self, api: Mapping[str, Any]) -> tuple[str, str]:
        """The name of the upstream, and the path everything there begins with."""
        try:
            parts = urlsplit(api["endpoint"])
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ConfigError(f"{api['_file']}: apis/{api['name']}: endpoint must be an address of http or https.")
        if "@" in parts.netloc:
            raise ConfigError(f"{api['_file']}: apis/{api['name']}: endpoint must not hold a user name or password.")
        name = as_name(parts.netloc if parts.scheme == "http" else f"https:{parts.netloc}")
        self.upstreams[name] = {"targets": [f"{parts.scheme}://{parts.netloc}"]}
        return name, parts.path.rstrip("/")


def _templates(place: str, path: str) -> list[str]:
    """The path templates of a resource; `/*` takes what it stands behind, too."""
    path = _PARAMETER.sub(lambda found: "{" + (re.sub(r"\W", "_", found[1]) or "_") + "}", path)
    whole = f"{place}/{path.lstrip('/')}"
    if not whole.endswith("/*"):
        return [whole]
    return [whole, whole.removesuffix("/*") or "/"]


def _methods(resource: Mapping[str, Any]) -> dict[str, Any]:
    named = _words(resource.get("methods") or resource.get("method"))
    return {"methods": [method.upper() for method in named]} if named else {}


def _words(value: Any) -> list[str]:
    if value is None:
        return []
    return value.replace(",", " ").split() if isinstance(value, str) else [str(each) for each in value]


def _sources(draft: Draft) -> Any:
    """Where callers put what they present: other places than bearer only where somebody needs them."""
    kinds = {token.get("kind", "opaque") for token in draft.objects["tokens"]}
    sources: list[Any] = ["bearer"]
    if "basic" in kinds:
        sources = [{"header": "authorization", "prefix": ["Bearer ", "bearer ", "Basic ", "basic "]}]
    header = draft.configuration.api_key_header
    if "api_key" in kinds or header:
        sources.append({"header": header or "apikey"})
    return sources
