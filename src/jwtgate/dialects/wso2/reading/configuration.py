"""What the options mean together: one generation of the product, and everything that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwtgate.dialects.dialect import Objects
from jwtgate.dialects.wso2.reading.classes import (
    DEFAULT,
    NOTHING,
    URL_SAFE,
    generator_class,
    retriever_class,
)
from jwtgate.errors import ConfigError

HEADER = "X-JWT-Assertion"
LOCAL_DIALECT = "http://wso2.org/claims"
ISS = "wso2.org/products/am"
CACHE_SECONDS = 900
BUFFER_SECONDS = 60
SKEW_SECONDS = 5
MOST_SECONDS = 86400
_LATE = ("v3", "v4")
_RS256 = ("SHA256withRSA", "SHA256WITHRSA", "RS256")
_OLD_CLAIMS = (
    *("subscriber", "applicationid", "applicationname", "applicationtier", "apicontext", "version", "tier"),
    *("keytype", "usertype", "enduser", "enduserTenantId"),
)
_NEW_CLAIMS = (
    *("subscriber", "applicationid", "applicationname", "applicationtier", "apiname", "apicontext", "version", "tier"),
    *("keytype", "usertype", "enduser", "enduserTenantId", "applicationUUId", "applicationAttributes"),
)
STANDARD_CLAIMS: Mapping[str, tuple[str, ...]] = {
    "v1": ("iss", "exp", *_OLD_CLAIMS),
    "v2": ("iss", "exp", *_OLD_CLAIMS),
    "v3": ("iss", "exp", "iat", "jti", "sub", *_NEW_CLAIMS),
    "v4": ("iss", "exp", "iat", "jti", "sub", *_NEW_CLAIMS),
}
"""The standard claims of each generation in their order, those of the dialect without its prefix."""
CONVERSION: Mapping[str, str] = {
    "given_name": "givenname",
    "family_name": "lastname",
    "email": "emailaddress",
    "groups": "role",
    "phone_number": "mobile",
    "preferred_username": "username",
    "name": "fullname",
    "nickname": "nickname",
    "website": "url",
    "country": "country",
    "birthdate": "dob",
    "gender": "gender",
}
"""Names of OpenID Connect, and the claims of the local dialect they are converted to."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything about the tokens. Times in seconds; `claim_cache_seconds` 0: no cache.

    `generators` are the classes for tokens only the gateway can read and for all others, `retriever` that of the user's
    claims. `encoding` is in the words of a document. `claims` are the standard ones, `excluded` never there.
    """

    profile: str
    enabled: bool
    header: str
    dialect: str
    signed: bool
    none_label: str
    unsigned_allowed: bool
    encoding: str | None
    x5t: str
    x5t_padded: bool
    x5c: bool
    kid: bool
    tenant_signing: bool
    jwks: bool
    ttl_seconds: int
    exp_in_milliseconds: bool
    reuse: bool
    reuse_margin_seconds: int
    token_cache_seconds: int
    claim_cache_seconds: int
    generators: tuple[str, str]
    retriever: str
    user_claims: bool
    user_claims_of_jwt: bool
    federated: bool
    claims: tuple[str, ...]
    custom_first: bool
    conversion: Mapping[str, str] | None
    excluded: tuple[str, ...]
    identity_claims: bool
    drop_unparsable: bool
    arrays: bool
    separator: str
    empty_attributes: bool
    remove_user: bool
    sub_without_tenant: bool
    escape_slashes: bool
    strip_client_assertion: bool
    api_key_header: str | None
    subscription_validation: bool | None

    @property
    def shows_iat(self) -> bool:
        """Whether tokens say when they were made."""
        return "iat" in self.claims

    @property
    def prefix(self) -> str:
        """What stands before the names of the dialect's claims."""
        return self.dialect if self.dialect in ("", "/") else f"{self.dialect}/"


def configured(objects: Objects) -> Configuration:
    """What these options mean. `ConfigError`."""
    given: Mapping[str, Any] = objects["options"]
    profile = given.get("jwt_profile") or ("v4" if objects.get("has_toml") or not objects.get("has_xml") else "v2")
    generators, url_safe = _generators(given)
    return Configuration(
        profile=profile,
        enabled=given.get("enable", False),
        header=given.get("header") or HEADER,
        dialect=given.get("claim_dialect", LOCAL_DIALECT),
        tenant_signing=given.get("enable_tenant_based_signing", False),
        jwks=given.get("enable_jwks_api", True),
        generators=generators,
        strip_client_assertion=given.get("strip_client_assertion", True),
        api_key_header=given.get("api_key_header"),
        subscription_validation=given.get("subscription_validation"),
        **_writing(given, profile, url_safe=url_safe),
        **_lifetime(objects, profile),
        **_standard(given, profile),
        **_of_users(given, profile),
    )


def _writing(given: Mapping[str, Any], profile: str, *, url_safe: bool) -> dict[str, Any]:
    """How tokens are signed and written."""
    return {
        "signed": given.get("signing_algorithm", _RS256[0]) != "NONE",
        "none_label": given.get("none_alg_label", "none"),
        "unsigned_allowed": given.get("unsigned_tokens_trusted_by_legacy_backend", False),
        "encoding": _encoding(given, profile, url_safe),
        "x5t": _x5t(given, profile),
        "x5t_padded": profile in _LATE and not given.get("encode_x5t_without_padding", False),
        "x5c": given.get("enable_x5c", False),
        "kid": profile == "v4" and given.get("use_kid_property", True),
        "escape_slashes": given.get("escape_slashes", False),
    }


def _lifetime(objects: Objects, profile: str) -> dict[str, Any]:
    """How long tokens last, and how long they and the claims of users are kept. `ConfigError`."""
    given: Mapping[str, Any] = objects["options"]
    gateway_cache, km_cache = given.get("gateway_token_cache", True), given.get("km_token_cache", False)
    is_cached = gateway_cache if profile == "v4" else gateway_cache or km_cache
    cache_seconds = given.get("token_cache_expiry", CACHE_SECONDS)
    named = "token_cache_expiry" if gateway_cache or km_cache else "jwt_expiry_time"
    ttl = given.get(named, CACHE_SECONDS) + (BUFFER_SECONDS if profile == "v3" else 0)
    if not 1 <= ttl <= MOST_SECONDS:
        place = _place(objects, named)
        raise ConfigError(f"{place}: a token lives for 1 to {MOST_SECONDS} seconds, not {ttl}")
    margin = max(given.get("clock_skew", SKEW_SECONDS), ttl - cache_seconds)
    claim_seconds = given.get("jwt_claim_cache_expiry", CACHE_SECONDS)
    return {
        "ttl_seconds": ttl,
        "exp_in_milliseconds": given.get("exp_unit", "ms" if profile == "v1" else "s") == "ms",
        "reuse": is_cached,
        "reuse_margin_seconds": min(margin, MOST_SECONDS) if is_cached else 0,
        "token_cache_seconds": cache_seconds if is_cached else 0,
        "claim_cache_seconds": claim_seconds if given.get("jwt_claim_cache", True) else 0,
    }


def _standard(given: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """The standard claims, and what stands where two of one name meet."""
    return {
        "claims": tuple(given.get("standard_claims") or STANDARD_CLAIMS[profile]),
        "custom_first": given.get("claim_precedence", "standard" if profile in _LATE else "custom") == "custom",
        "empty_attributes": given.get("enable_empty_values_in_application_attributes", False),
        "remove_user": given.get("remove_user_name_from_jwt_for_application_token", False),
        "sub_without_tenant": given.get("sub_without_tenant", profile == "v3"),
    }


def _of_users(given: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """Which claims of users and of callers' tokens there are, and what becomes of their names and values."""
    retrieval = given.get("enable_claim_retrieval", False)
    return {
        "retriever": _retriever(given),
        "user_claims": profile in _LATE and (given.get("enable_user_claims", False) or retrieval),
        "user_claims_of_jwt": profile == "v3" or retrieval,
        "federated": given.get("binding_federated_user_claims", False),
        "conversion": {**CONVERSION, **given.get("claim_conversion", {})} if given.get("convert_dialect") else None,
        "excluded": tuple(given.get("excluded_claims", ())),
        "identity_claims": given.get("include_identity_claims", False),
        "drop_unparsable": given.get("drop_unparsable_objects", False),
        "arrays": profile == "v4" or (profile == "v3" and given.get("parse_json_arrays", False)),
        "separator": given.get("multi_attribute_separator", ","),
    }


def warnings_of(objects: Objects, configuration: Configuration) -> list[tuple[str, str]]:
    """What of the options is worth a sentence when the gateway starts: places and sentences."""
    given: Mapping[str, Any] = objects["options"]
    found = list(map(tuple, objects["notes"]))
    algorithm = given.get("signing_algorithm")
    if algorithm not in (None, "NONE", *_RS256):
        place = _place(objects, "signing_algorithm")
        found.append((place, f"{algorithm} is not an algorithm that is known here; SHA256withRSA signs instead."))
    if configuration.enabled and configuration.encoding is not None:
        sentence = "No JOSE library reads tokens in standard base64; base64url is read by all."
        found.append((_place(objects, "encoding"), sentence))
    return found


def _place(objects: Objects, option: str) -> str:
    return str(objects["places"].get(option) or option)


def _generators(given: Mapping[str, Any]) -> tuple[tuple[str, str], bool]:
    """The classes for opaque tokens and for all others, either standing in for the other; and whether one encodes."""
    mapped = given.get("java_class_map", {})
    named = [given.get("generator_impl"), given.get("gateway_impl")]
    opaque, gateway = (name or other for name, other in zip(named, reversed(named), strict=True))
    found = tuple(generator_class(name, mapped) if name else DEFAULT for name in (opaque, gateway))
    return (found[0].removesuffix(URL_SAFE), found[1].removesuffix(URL_SAFE)), any(URL_SAFE in each for each in found)


def _encoding(given: Mapping[str, Any], profile: str, url_safe: bool) -> str | None:
    """The encoding in the words of a document; None: that of RFC 7515."""
    if url_safe or given.get("encoding") == "base64url":
        return None
    return "base64" if profile != "v4" or given.get("enable_base64_padding", False) else "base64-unpadded"


def _x5t(given: Mapping[str, Any], profile: str) -> str:
    """How the certificate is named: `sha1` or `sha256`, with `-hex` where their hexadecimal text is."""
    form = given.get("x5t_format") or ("rfc7515" if profile == "v1" else "wso2-hex")
    return ("sha256" if given.get("use_sha256_hash") else "sha1") + ("-hex" if form == "wso2-hex" else "")


def _retriever(given: Mapping[str, Any]) -> str:
    name = given.get("claims_extractor_impl")
    return retriever_class(name, given.get("java_class_map", {})) if name else NOTHING
