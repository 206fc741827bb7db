"""Whom a call is made for, as expressions of a document: they find a user's record, and the key of a tenant.

They say what `tokens/standard.py` says. In the last generation a caller who is no user of its own is one of the tenant
of the application's developer.
"""

from __future__ import annotations

from jwtgate.dialects.wso2.reading.configuration import Configuration
from jwtgate.dialects.wso2.tokens.given import SUPER_TENANT
from jwtgate.dialects.wso2.translation.draft import quoted

_SUB = "string(token.wso2.sub)"
_HAS_SUB, _HAS_APPLICATION = "has(token.wso2.sub)", "has(consumer.attributes)"
_BY_APPLICATION = "has(token.wso2.aut) && token.wso2.aut == 'APPLICATION'"
# A JWT has an issuer; what is known by its text has none.
_OF_ITS_OWN = "has(token.wso2.kind) && !has(token.wso2.iss)"
_DEVELOPER = "consumer.attributes.developer"
_WITH_TENANT = f"({_SUB}.contains('@') ? {_SUB} : {_SUB} + '@{SUPER_TENANT}')"


def is_for(tenant: str, api: str, configuration: Configuration) -> str:
    """Whether the call is made for a user of this tenant."""
    by_user = f"!({_BY_APPLICATION}) && {_HAS_SUB} && {_SUB}.endsWith({quoted(f'@{tenant}')})"
    by_developer = f"{_HAS_APPLICATION} && {_developer(api, configuration)}.tenant == {quoted(tenant)}"
    if configuration.profile == "v4":
        return f"({_is_developers()}) ? {by_developer} : {by_user}"
    return f"({_BY_APPLICATION}) ? {by_developer} : {by_user}"


def end_user(api: str, configuration: Configuration) -> str:
    """The name of the user, with its tenant; null where there is none."""
    whole = _WITH_TENANT
    if configuration.profile == "v4":
        tenant = f"'@' + {_developer(api, configuration)}.tenant"
        whole = f"(({_is_developers()}) && !{_SUB}.endsWith({tenant}) ? {_SUB} + {tenant} : {_WITH_TENANT})"
    return f"{_HAS_SUB} ? {whole} : null"


def developer(api: str, configuration: Configuration) -> str:
    """The name of the developer, with its tenant; null where there is none."""
    return f"{_HAS_APPLICATION} ? {_developer(api, configuration)}.name : null"


def _developer(api: str, configuration: Configuration) -> str:
    """Who has subscribed to the API, where that is asked for; else the owner of the application."""
    if configuration.profile != "v4":
        return _DEVELOPER
    return f"({quoted(api)} in {_DEVELOPER}s ? {_DEVELOPER}s[{quoted(api)}] : {_DEVELOPER})"


def _is_developers() -> str:
    """Whether the tenant of the caller is that of the developer."""
    return f"{_HAS_APPLICATION} && ({_BY_APPLICATION} || {_HAS_SUB} && !({_OF_ITS_OWN}))"
