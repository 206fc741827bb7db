"""The standard claims of each generation of the product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jwtgate.dialects.wso2.tokens.context import JWT, Application, ValidationContext
from jwtgate.dialects.wso2.tokens.given import (
    SUPER_TENANT,
    Given,
    tenant_of,
    with_tenant,
    without_tenant,
)

_LATE_USER_TYPE = "Application_User"
# Where the gateway makes the token, these are left out when they are empty.
_NEVER_EMPTY = frozenset(
    {"subscriber", "applicationid", "applicationname", "applicationtier", "apiname", "apicontext", "version", "tier"}
)


def standard_claims(context: ValidationContext, given: Given) -> dict[str, Any]:
    """The claims of this generation that are known, those of the dialect with its prefix, in their order."""
    claims: dict[str, Any] = {}
    for named in given.claims:
        name = named.removeprefix(given.prefix)
        value = _sub(context, given) if name == "sub" else _VALUES.get(name, _nothing)(context, given)
        if value is None or (given.profile == "v4" and value == "" and name in _NEVER_EMPTY):
            continue
        claims[name if name == "sub" else f"{given.prefix}{name}"] = value
    return claims


def end_user(context: ValidationContext, given: Given) -> str | None:
    """The name of the user the call is made for, as this generation writes it."""
    token, application = context.token, context.application
    if token.is_application_token:
        return _application_end_user(context, given)
    user = token.user
    if user is None or given.profile == "v1":
        return user
    if given.profile != "v4":
        return with_tenant(user)
    if token.kind in ("api_key", "basic"):
        return user
    tenant = _subscriber_tenant(context)
    if application is None and context.subscription is None:
        return with_tenant(user)
    return user if user.endswith(f"@{tenant}") else f"{user}@{tenant}"


def _application_end_user(context: ValidationContext, given: Given) -> str | None:
    if given.profile == "v4":
        developer = _subscriber(context)
        return None if developer is None else with_tenant(developer)
    owner = context.application.owner if context.application else None
    if owner is None or given.remove_user:
        return None
    return owner if given.profile == "v1" else with_tenant(owner)


def _sub(context: ValidationContext, given: Given) -> str | None:
    if given.profile == "v4":
        sub = context.token.user if context.token.kind == JWT else None
    else:
        sub = end_user(context, given)
    return without_tenant(sub) if sub is not None and given.sub_without_tenant else sub


def _subscriber(context: ValidationContext, _: Given | None = None) -> str | None:
    if context.subscription is not None and context.subscription.subscriber is not None:
        return context.subscription.subscriber
    return context.application.owner if context.application else None


def _subscriber_tenant(context: ValidationContext) -> str:
    developer = _subscriber(context)
    return tenant_of(developer) if developer else SUPER_TENANT


def _user_type(context: ValidationContext, given: Given) -> str:
    return _LATE_USER_TYPE if given.profile == "v4" else context.token.user_type


def _key_type(context: ValidationContext, given: Given) -> str | None:
    held = context.application.key_type if context.application else None
    return held or ("PRODUCTION" if given.profile == "v4" else None)


def _tenant_id(context: ValidationContext, given: Given) -> str | None:
    user = end_user(context, given)
    found = None if user is None else given.tenant_id(tenant_of(user))
    return None if found is None else str(found)


def _attributes(context: ValidationContext, given: Given) -> Mapping[str, str] | None:
    held = context.application.attributes if context.application else {}
    shown = {name: value for name, value in held.items() if value != "" or given.empty_attributes}
    return shown or None


def _nothing(_: ValidationContext, __: Given) -> None:
    return None


def _of_application(name: str) -> Callable[[ValidationContext, Given], str | None]:
    return lambda context, _: getattr(context.application or Application(), name)


def _of_api(name: str) -> Callable[[ValidationContext, Given], str | None]:
    return lambda context, _: getattr(context.api, name)


def _tier(context: ValidationContext, _: Given) -> str | None:
    return context.subscription.tier if context.subscription else None


_VALUES: Mapping[str, Callable[[ValidationContext, Given], Any]] = {
    "subscriber": _subscriber,
    "applicationid": _of_application("id"),
    "applicationname": _of_application("name"),
    "applicationtier": _of_application("tier"),
    "apiname": _of_api("name"),
    "apicontext": _of_api("context"),
    "version": _of_api("version"),
    "tier": _tier,
    "keytype": _key_type,
    "usertype": _user_type,
    "enduser": end_user,
    "enduserTenantId": _tenant_id,
    "applicationUUId": _of_application("uuid"),
    "applicationAttributes": _attributes,
}
