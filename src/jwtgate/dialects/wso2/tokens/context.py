"""What a generator may look at: who calls, through which application, and what for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jwtgate.dialects.wso2.tokens.given import USER, Given

JWT, OPAQUE = "jwt", "opaque"
APPLICATION, APPLICATION_USER = "APPLICATION", "APPLICATION_USER"


@dataclass(frozen=True, slots=True)
class CallerToken:
    """What the caller presented: `kind` is `jwt`, `opaque`, `api_key` or `basic`, `exp` a NumericDate."""

    kind: str
    consumer_key: str | None
    user: str | None
    user_type: str
    scopes: tuple[str, ...]
    claims: Mapping[str, Any] = field(repr=False)
    id: str | None = None
    exp: int | None = None

    @property
    def is_application_token(self) -> bool:
        """Whether the application itself calls, and no user of it."""
        return self.user_type == APPLICATION


@dataclass(frozen=True, slots=True)
class User:
    """A record of the user store. `name` is with its tenant, `claims` are by URI or short name."""

    name: str
    claims: Mapping[str, str] = field(repr=False)
    federated: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """The application behind the caller, and the type of the key it calls with."""

    id: str | None = None
    uuid: str | None = None
    name: str | None = None
    tier: str | None = None
    owner: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    key_type: str | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """The API that is called. `context` is as it was invoked."""

    id: str = ""
    name: str | None = None
    version: str | None = None
    context: str | None = None
    provider: str | None = None
    tenant: str | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the application has of the API."""

    tier: str | None = None
    subscriber: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class ValidationContext:
    """All that is known. `method` and `path` are only known to generators of one's own. `now` is in seconds.

    `grants` are the claims that were granted together with an opaque token; `owner` is the record of the application's
    owner.
    """

    token: CallerToken
    api: Api
    now: int
    user: User | None = None
    owner: User | None = None
    application: Application | None = None
    subscription: Subscription | None = None
    tenant_id: int | None = None
    method: str | None = None
    path: str | None = None
    grants: Mapping[str, Any] = field(default_factory=dict, repr=False)


def context_of(told: Mapping[str, Any], given: Given) -> ValidationContext:
    """What the gateway told, in these words."""
    consumer = told.get("consumer") or {}
    attributes = consumer.get("attributes", {})
    api = given.apis.get(told["route"], {})
    token = _token(told, attributes)
    request, others = told.get("request") or {}, told.get("consumers") or {}
    return ValidationContext(
        token,
        Api(**api),
        told["now"],
        user=_user(others.get("user")),
        owner=_user(others.get("owner")),
        application=_application(attributes),
        subscription=_subscription(attributes, api.get("id", "")),
        method=request.get("method"),
        path=request.get("path"),
        grants=told["claims"].get("grants", {}) if token.kind != JWT else {},
    )


def _token(told: Mapping[str, Any], attributes: Mapping[str, Any]) -> CallerToken:
    claims, credential = told["claims"], told.get("credential") or {}
    kind = credential.get("labels", {}).get("kind", JWT)
    of_application = claims.get("aut") == APPLICATION
    held = claims.get("claims", {}) if credential else claims
    exp = claims.get("exp")
    return CallerToken(
        kind,
        consumer_key=attributes.get("consumer_key"),
        user=_text(claims.get("sub")),
        user_type=APPLICATION if of_application else APPLICATION_USER,
        scopes=_scopes(claims.get("scope")),
        claims=held,
        id=_text(claims.get("jti")),
        exp=int(exp) if isinstance(exp, int | float) else None,
    )


def _scopes(value: object) -> tuple[str, ...]:
    words = value.split() if isinstance(value, str) else value if isinstance(value, list) else ()
    return tuple(word for word in words if isinstance(word, str)) or ("default",)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _user(record: Mapping[str, Any] | None) -> User | None:
    if record is None:
        return None
    attributes = record["attributes"]
    return User(
        str(record["id"]).removeprefix(USER), attributes.get("claims", {}), bool(attributes.get("federated", False))
    )


def _application(attributes: Mapping[str, Any]) -> Application | None:
    held = attributes.get("application")
    return None if held is None else Application(**held, key_type=attributes.get("key_type"))


def _subscription(attributes: Mapping[str, Any], api: str) -> Subscription | None:
    held = attributes.get("subscriptions", {}).get(api)
    return None if held is None else Subscription(**held)
