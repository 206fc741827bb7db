"""What can be set about a backend JWT: each option's name, its places in the two kinds of files, and its kind of value.

The name is that of `[apim.jwt]` where there is one there. Options of ours stand under the same name in either kind, and
below `settings` in a file of records. An element of XML is compared without case and underscores, so that
`NoneAlgLabel` means `none_alg_label`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JWT, GATEWAY, CACHE, DEVPORTAL = (
    ("apim", "jwt"),
    ("apim", "jwt", "gateway_generator"),
    ("apim", "cache"),
    ("apim", "devportal"),
)


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its kind (`flag`, `switch`, `text`, `number`, `list`, `map`) and where it stands, its name aside.

    A `switch` is a flag of ours: the product takes whatever is not `true` for false, which must turn none of ours off.

    `xml` are paths below the root element, `toml` paths of tables and a key. `one_of` are the values it may have.
    """

    name: str
    kind: str = "text"
    xml: tuple[str, ...] = ()
    toml: tuple[tuple[str, ...], ...] = ()
    one_of: tuple[str, ...] = field(default=())


_CONFIGURATION = "JWTConfiguration"
_OLD = "APIConsumerAuthentication"
_CACHES = "CacheConfigurations"

OPTIONS: Mapping[str, Option] = {
    each.name: each
    for each in (
        Option(
            "enable",
            "flag",
            (f"{_CONFIGURATION}/EnableJWTGeneration", f"{_OLD}/EnableTokenGeneration"),
            ((*GATEWAY, "enable"),),
        ),
        Option("header", xml=(f"{_CONFIGURATION}/JWTHeader", f"{_OLD}/SecurityContextHeader")),
        Option(
            "claims_extractor_impl",
            xml=(f"{_CONFIGURATION}/ClaimsRetrieverImplClass", f"{_OLD}/ClaimsRetrieverImplClass"),
        ),
        Option("enable_user_claims", "flag"),
        Option("claim_dialect", xml=(f"{_CONFIGURATION}/ConsumerDialectURI", f"{_OLD}/ConsumerDialectURI")),
        Option("convert_dialect", "flag", (f"{_CONFIGURATION}/ConvertClaimsToConsumerDialect",)),
        Option("signing_algorithm", xml=(f"{_CONFIGURATION}/SignatureAlgorithm", f"{_OLD}/SignatureAlgorithm")),
        Option("enable_x5c", "flag", (f"{_CONFIGURATION}/EnableX5C",)),
        Option("generator_impl", xml=(f"{_CONFIGURATION}/JWTGeneratorImpl", f"{_CONFIGURATION}/TokenGeneratorImpl")),
        Option("gateway_impl", xml=(f"{_CONFIGURATION}/GatewayJWTGeneration/ImplClass",), toml=((*GATEWAY, "impl"),)),
        Option("encoding", one_of=("base64", "base64url")),
        Option(
            "excluded_claims",
            "list",
            (f"{_CONFIGURATION}/GatewayJWTGeneration/Configuration/ExcludedClaims/Claim",),
            ((*GATEWAY, "excluded_claims"),),
        ),
        Option("enable_claim_retrieval", "flag", toml=((*GATEWAY, "enable_claim_retrieval"),)),
        Option("binding_federated_user_claims", "flag"),
        Option("use_sha256_hash", "flag"),
        Option("use_kid_property", "flag"),
        Option("encode_x5t_without_padding", "flag"),
        Option("enable_base64_padding", "flag"),
        Option("enable_tenant_based_signing", "flag", (f"{_CONFIGURATION}/EnableTenantBasedSigning",)),
        Option("enable_jwks_api", "flag"),
        Option(
            "gateway_token_cache",
            "flag",
            (f"{_CACHES}/EnableGatewayTokenCache",),
            ((*CACHE, "gateway_token", "enable"),),
        ),
        Option("km_token_cache", "flag", (f"{_CACHES}/EnableKeyManagerTokenCache",), ((*CACHE, "km_token", "enable"),)),
        Option(
            "token_cache_expiry",
            "number",
            (f"{_CACHES}/TokenCacheExpiry",),
            ((*CACHE, "gateway_token", "expiry_time"), (*CACHE, "token_expiry_time")),
        ),
        Option("jwt_claim_cache", "flag", (f"{_CACHES}/EnableJWTClaimCache",), ((*CACHE, "jwt_claim", "enable"),)),
        Option(
            "jwt_claim_cache_expiry",
            "number",
            (f"{_CACHES}/JWTClaimCacheExpiry",),
            ((*CACHE, "jwt_claim", "expiry_time"),),
        ),
        Option("jwt_expiry_time", "number", ("APIKeyValidator/JWTExpiryTime",)),
        Option(
            "remove_user_name_from_jwt_for_application_token",
            "flag",
            (f"{_CONFIGURATION}/RemoveUserNameFromJWTForApplicationToken",),
        ),
        Option(
            "enable_empty_values_in_application_attributes",
            "flag",
            toml=((*DEVPORTAL, "enable_empty_values_in_application_attributes"),),
        ),
        # Ours.
        Option("jwt_profile", one_of=("v1", "v2", "v3", "v4")),
        Option("none_alg_label", one_of=("none", "NONE")),
        Option("exp_unit", one_of=("s", "ms")),
        Option("x5t_format", one_of=("wso2-hex", "rfc7515")),
        Option("claim_precedence", one_of=("standard", "custom")),
        Option("drop_unparsable_objects", "switch"),
        Option("include_identity_claims", "switch"),
        Option("escape_slashes", "switch"),
        Option("strip_client_assertion", "switch"),
        Option("standard_claims", "list"),
        Option("clock_skew", "number"),
        Option("java_class_map", "map"),
        Option("claim_conversion", "map"),
        Option("multi_attribute_separator"),
        Option("parse_json_arrays", "switch"),
        Option("sub_without_tenant", "switch"),
        Option("subscription_validation", "switch"),
        Option("api_key_header"),
        Option("unsigned_tokens_trusted_by_legacy_backend", "switch"),
    )
}
"""Every option by its name."""


def plain(name: str) -> str:
    """The name of an option as it is compared."""
    return name.lower().replace("_", "").replace("-", "")


def valued(option: Option, value: object) -> Any:
    """The value of this option as it was written: text of XML, or what TOML, YAML or JSON hold. `ValueError`."""
    if option.kind == "flag":
        return value if isinstance(value, bool) else _flag(value)
    if option.kind == "switch":
        return value if isinstance(value, bool) else _switch(value)
    if option.kind == "number":
        return _number(value)
    if option.kind == "list":
        return _list(value)
    if option.kind == "map":
        return _map(value)
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - whoever wrote the file is told
    if option.one_of and value not in option.one_of:
        raise ValueError(f"must be one of {', '.join(option.one_of)}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, str):
        raise ValueError("must be true or false")  # noqa: TRY004
    return value.strip().lower() == "true"


def _switch(value: object) -> bool:
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _number(value: object) -> int:
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    if type(text) is int and 0 <= text < 10**9:
        return text
    raise ValueError("must be a whole number of seconds")


def _list(value: object) -> list[str]:
    items = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("must be a list of texts")
    return items


def _map(value: object) -> dict[str, str]:
    """A mapping; in text as `name=value`, apart by blanks."""
    if isinstance(value, str):
        pairs = [item.partition("=") for item in value.split()]
        value = {name: each for name, sign, each in pairs if sign}
        if len(value) < len(pairs):
            raise ValueError("must be name=value, apart by blanks")
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("must map names to texts")
    return value
