"""The `issuers` section: who signs the tokens we accept, where their keys are, what their tokens must satisfy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from jwtgate.config.sections.claims import ClaimRuleSection
from jwtgate.config.sections.section import (
    Count,
    FileName,
    Flag,
    JsonValue,
    LongSeconds,
    Maybe,
    OneOrMore,
    Section,
    Text,
    Url,
    Whole,
    as_list,
    exactly_one,
    is_plain_http_elsewhere,
    is_url,
    raise_all,
)
from jwtgate.errors import KeyRefused
from jwtgate.jose.algorithms import ALGORITHMS, is_mac, mixes_families
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key

SECRET_KEYS = ("secret", "pem", "jwks")
"""Members of `keys` that may be secret: their `${...}` references are kept, and they are never shown."""


def _checked_alg(value: str) -> str:
    if value not in ALGORITHMS:
        raise ValueError(f"must be one of {', '.join(ALGORITHMS)}")
    return value


Alg = Annotated[str, AfterValidator(_checked_alg), Field(json_schema_extra={"enum": sorted(ALGORITHMS)})]


def _checked_jwks(value: object) -> object:
    entries = value if isinstance(value, list) else [value]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("must be a JWK Set, a JWK, or a list of JWKs")
    return value


Jwks = Annotated[
    dict[str, JsonValue] | list[dict[str, JsonValue]],
    PlainValidator(_checked_jwks, json_schema_input_type=dict[str, JsonValue] | list[dict[str, JsonValue]]),
]


class KeysSection(Section):
    """Where an issuer's keys come from: exactly one place."""

    discovery: Maybe[Url] = Field(None, description="Address of the issuer's metadata document.")
    url: Maybe[Url] = Field(None, description="Address of the JWK Set.")
    file: Maybe[FileName] = Field(None, description="A file with a JWK, a JWK Set or a PEM text.")
    jwks: Maybe[Jwks] = Field(None, description="A JWK Set, a JWK or a list of JWKs, here in the document.")
    pem: Maybe[Text] = Field(None, description="A PEM text of a public key or a certificate, or a reference to one.")
    secret: Maybe[Text] = Field(None, description="The secret of a MAC algorithm, best as a reference.")
    base64url: Flag = Field(False, description="The secret is written in base64url.")

    @property
    def kind(self) -> str:
        """The name of the place."""
        return exactly_one(self.model_fields_set, ("discovery", "url", "file", "jwks", "pem", "secret"))

    @model_validator(mode="after")
    def _is_one_place(self) -> KeysSection:
        kind = self.kind
        if self.base64url and kind != "secret":
            raise ValueError("base64url stands beside secret only")
        return self


def _listed_audiences(value: object) -> object:
    if value == "any":
        return None
    if value is None:
        raise ValueError("must name an audience, or say any")
    if isinstance(value, list) and "any" in value:
        raise ValueError("the word any stands alone")
    return as_list(value)


Audience = Annotated[
    tuple[Text, ...] | None,
    BeforeValidator(_listed_audiences, json_schema_input_type=Text | Annotated[list[Text], Field(min_length=1)]),
]
"""The audiences meant for us. None: the document says in words that any will do (SEC-44)."""


class IssuerSection(Section):
    """One issuer of tokens."""

    issuer: Text = Field(description="The exact `iss` of its tokens, code point for code point.")
    keys: Maybe[KeysSection] = Field(None, description="Where its keys come from. Default: discovery from `issuer`.")
    algorithms: OneOrMore[Alg] = Field(
        description="The algorithms its tokens may use; never a MAC together with a signature."
    )
    audience: Audience = Field(
        description="The audiences meant for us; the word `any` accepts every token of the issuer, whoever it is for."
    )
    type: Maybe[OneOrMore[Text]] = Field(None, description="The `typ` its tokens must have. Default: any.")
    type_optional: Flag = Field(False, description="A token without `typ` is accepted besides those of `type`.")
    leeway_seconds: Annotated[Whole, Field(ge=0, le=300)] = Field(
        30, description="How far the issuer's clock may differ from ours."
    )
    exp_optional_for_legacy_tokens: Flag = Field(False, description="Tokens without `exp` are accepted. Dangerous.")
    max_age_seconds: Maybe[Count] = Field(None, description="Most seconds since `iat`.")
    max_lifetime_seconds: Maybe[Count] = Field(None, description="Most seconds from `iat` to `exp`.")
    claims: tuple[ClaimRuleSection, ...] = Field((), description="Rules every token of this issuer must satisfy.")
    refresh_seconds: LongSeconds = Field(300, description="Age at which its key set is fetched again.")
    max_stale_seconds: LongSeconds = Field(
        86400, description="How long the last good key set is used while it cannot be fetched."
    )
    keys_tried_without_kid: Annotated[Whole, Field(ge=1, le=4)] = Field(
        1, description="How many keys are tried for a token without `kid`."
    )
    ca_file: Maybe[FileName] = Field(None, description="Certificates to trust instead of the system's.")
    allowed_hosts: Maybe[OneOrMore[Text]] = Field(
        None, description="Hosts its metadata and key set may be fetched from. Default: any."
    )
    insecure_http: Flag = Field(False, description="Plain http may be used to hosts other than this one. Dangerous.")
    private_addresses_refused: Flag = Field(
        False, description="Nothing is fetched from loopback, private and link-local addresses."
    )
    empty_key_set_allowed: Flag = Field(False, description="A key set without keys replaces the last good one.")
    refuse_header_addresses: Flag = Field(
        False, description="Tokens whose header holds `jku` or `x5u` are refused. They are never followed anyway."
    )
    short_secret_allowed_for_legacy_credential: Flag = Field(
        False, description="A secret shorter than its algorithm wants is accepted. Dangerous."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> IssuerSection:
        raise_all((*self._mistakes_of_tokens(), *self._mistakes_of_keys()))
        return self

    def _mistakes_of_tokens(self) -> Iterator[str]:
        if mixes_families(self.algorithms):
            yield "algorithms must not mix MACs (HS256, ...) with signatures"
        if self.type_optional and self.type is None:
            yield "type_optional needs type"

    def _mistakes_of_keys(self) -> Iterator[str]:
        kind = self.keys.kind if self.keys else "discovery"
        mac = all(map(is_mac, self.algorithms))
        if mac and kind in ("discovery", "url"):
            yield "a secret is never fetched; a MAC needs keys: {secret: ...}"
        if mac and kind == "pem":
            yield "a public key is never the secret of a MAC"
        if not mac and kind == "secret":
            yield "a secret serves a MAC only (HS256, HS384, HS512)"
        if mac and kind == "secret":
            yield from self._mistakes_of_secret()
        if self.short_secret_allowed_for_legacy_credential and kind != "secret":
            yield "short_secret_allowed_for_legacy_credential needs keys: {secret: ...}"
        if self.keys is None and not is_url(self.issuer):
            yield "issuer is no address, so its keys cannot be discovered; add keys"
        elif not self.insecure_http and any(map(is_plain_http_elsewhere, self.fetched_from)):
            yield "keys are fetched by https; plain http reaches this host only, or needs insecure_http"

    def _mistakes_of_secret(self) -> Iterator[str]:
        """What is wrong with a secret that stands in the document. One that is referred to is seen later."""
        if len(self.algorithms) > 1:
            yield "a secret serves one algorithm; name one"
            return
        text = self.keys.secret if self.keys else None
        if self.keys is None or text is None or "${" in text:
            return
        try:
            Key.secret(
                base64url_decode(text) if self.keys.base64url else text.encode(),
                alg=self.algorithms[0],
                short_secret_allowed_for_legacy_credential=self.short_secret_allowed_for_legacy_credential,
            )
        except ValueError:
            yield "the secret is not base64url"
        except KeyRefused as refused:
            yield f"the secret cannot be used: {refused.sentence}"

    @property
    def fetched_from(self) -> tuple[str, ...]:
        """The configured addresses the keys are fetched from."""
        if self.keys is None:
            return (self.issuer,)
        return tuple(address for address in (self.keys.discovery, self.keys.url) if address is not None)
