"""Names of Java classes, and what stands for them here."""

from __future__ import annotations

from collections.abc import Mapping

from jwtgate.errors import ConfigError

DEFAULT = "default"
URL_SAFE = "+base64url"
USER_STORE = "user-store"
NOTHING = ""
_GATEWAY = "org.wso2.carbon.apimgt.common.gateway.jwtgenerator"
_GENERATORS: Mapping[str, str] = {
    "org.wso2.carbon.apimgt.keymgt.token.JWTGenerator": DEFAULT,
    "org.wso2.carbon.apimgt.impl.token.JWTGenerator": DEFAULT,
    "org.wso2.carbon.apimgt.keymgt.token.URLSafeJWTGenerator": DEFAULT + URL_SAFE,
    "org.wso2.carbon.apimgt.impl.token.URLSafeJWTGenerator": DEFAULT + URL_SAFE,
    f"{_GATEWAY}.APIMgtGatewayJWTGeneratorImpl": DEFAULT,
    f"{_GATEWAY}.APIMgtGatewayUrlSafeJWTGeneratorImpl": DEFAULT + URL_SAFE,
}
_RETRIEVERS: Mapping[str, str] = {
    "org.wso2.carbon.apimgt.impl.token.DefaultClaimsRetriever": USER_STORE,
    "org.wso2.carbon.apimgt.impl.token.ExtendedDefaultClaimsRetriever": NOTHING,
}


def generator_class(name: str, mapped: Mapping[str, str]) -> str:
    """What makes claims in place of this class: `default`, with `+base64url` where it encodes so, or `module:Class`."""
    return _found(name, mapped, _GENERATORS, "generator")


def retriever_class(name: str, mapped: Mapping[str, str]) -> str:
    """What finds a user's claims in place of this class: the user store, nothing, or `module:Class`."""
    return _found(name, mapped, _RETRIEVERS, "claims retriever")


def _found(name: str, mapped: Mapping[str, str], known: Mapping[str, str], kind: str) -> str:
    if name in mapped:
        return _checked(mapped[name])
    if ":" in name:
        return _checked(name)
    # The package of some differs between releases; the last part of the name does not.
    by_class = {each.rpartition(".")[2]: meant for each, meant in known.items()}
    found = known.get(name)
    if found is None and name.startswith("org.wso2."):
        found = by_class.get(name.rpartition(".")[2])
    if found is None:
        raise ConfigError(f"The {kind} {name} is a class of Java; name one of Python for it in java_class_map.")
    return found


def _checked(name: str) -> str:
    module, _, found = name.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), found)):
        raise ConfigError(f"{name} must be written module:Class.")
    return name
