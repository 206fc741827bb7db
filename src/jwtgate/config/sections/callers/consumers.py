"""The `consumers` section: callers known by name, and the credentials they make their own tokens with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from jwtgate.config.sections.callers.rate_limits import ConsumerRateLimitSection
from jwtgate.config.sections.section import (
    Alg,
    FileName,
    Flag,
    JsonValue,
    JwkSet,
    LongSeconds,
    Maybe,
    Referable,
    Sealed,
    Secret,
    Section,
    Text,
    Url,
    Whole,
    exactly_one,
    is_plain_http_elsewhere,
    raise_all,
)
from jwtgate.errors import KeyRefused
from jwtgate.jose.algorithms import is_mac
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key

_IDS = UUID("6f1b5f0e-6d3c-5a52-9a43-0d8c1f6f2a77").bytes
_TO_BASE64URL = str.maketrans("+/", "-_")
_KEYS = ("secret", "public_key", "jwks", "file", "keys", "api_key")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
MOST_LEEWAY_SECONDS = 300

Label = Annotated[str, Field(max_length=1024)]
CredentialName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,256}$")]
"""What a token names a credential by, unless the credential says otherwise."""


def derived_id(*names: str) -> str:
    """The id of something that was given none: the same wherever these names stand."""
    # A UUID of version 5 (RFC 9562 section 5.5), written out: there may be a million of them.
    found = hashlib.sha1(_IDS + "\0".join(names).encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(found[16], 16) & 3]
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"


def as_base64url(text: str) -> str:
    """A base64 text in the alphabet of base64url, without padding; other text as it stands."""
    return text.translate(_TO_BASE64URL).rstrip("=")


class PublishedKeysSection(Section):
    """Where a consumer publishes its keys. They are fetched when a token first wants them, and kept fresh."""

    url: Url = Field(description="Address of the JWK Set.")
    username: Maybe[Text] = Field(None, description="Our name there (basic authentication).")
    password: Maybe[Secret] = Field(None, description="Our password there, best as a reference.")
    client_certificate: Maybe[FileName] = Field(None, description="A PEM file with the certificate we show there.")
    client_key: Maybe[FileName] = Field(None, description="A PEM file with its private key.")
    refresh_seconds: LongSeconds = Field(300, description="Age at which the JWK Set is fetched again.")
    ca_file: Maybe[FileName] = Field(None, description="Certificates to trust instead of the system's.")
    insecure_http: Flag = Field(False, description="Plain http may be used to hosts other than this one. Dangerous.")

    @model_validator(mode="after")
    def _fits_together(self) -> PublishedKeysSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if (self.username is None) != (self.password is None):
            yield "username and password need each other"
        if (self.client_certificate is None) != (self.client_key is None):
            yield "client_certificate and client_key need each other"
        if not self.insecure_http and is_plain_http_elsewhere(self.url):
            yield "keys are fetched by https; plain http reaches this host only, or needs insecure_http"


class CredentialSection(Section):
    """One credential of a consumer: exactly one place for what its tokens are verified with."""

    id: Maybe[Text] = Field(None, description="Our own name of it. Default: made from the names.")
    named: Maybe[Referable] = Field(
        None, description="What a token names it by, or a reference to that. Default: its name here."
    )
    api_key: Maybe[Secret] = Field(
        None, description="An API key, best as a reference: its whole credential, in place of tokens of its own."
    )
    claims: dict[Text, JsonValue] = Field(
        default_factory=dict,
        description="What an API key says of its caller, as the claims of a token would; its `exp` ends it.",
    )
    alg: Maybe[Alg] = Field(None, description="The one algorithm of its tokens.")
    secret: Maybe[Secret] = Field(None, description="The secret of a MAC algorithm, best as a reference.")
    base64: Flag = Field(False, description="The secret is written in base64 or base64url.")
    public_key: Maybe[Secret] = Field(None, description="A PEM text of a public key or certificate, or a JWK.")
    jwks: Maybe[JwkSet] = Field(None, description="A JWK Set, a JWK or a list of JWKs.")
    file: Maybe[FileName] = Field(None, description="A file with a JWK, a JWK Set or a PEM text.")
    keys: Maybe[PublishedKeysSection] = Field(None, description="The address at which the consumer publishes its keys.")
    private_key: Maybe[Secret] = Field(
        None, description="A PEM text or JWK of the private key, if tokens are to be minted with it."
    )
    leeway_seconds: Maybe[Annotated[Whole, Field(ge=0, le=366 * 86400)]] = Field(
        None, description="How far its clock may differ from ours, at most 300. Default: as the issuer says."
    )
    long_leeway_allowed_for_legacy_tokens: Flag = Field(
        False, description="`leeway_seconds` may be longer than 300. Dangerous."
    )
    ttl_seconds: Annotated[Whole, Field(ge=1, le=366 * 86400)] = Field(
        86400, description="How long tokens minted with it live."
    )
    key_claim: Text = Field("key", description="The claim that names the credential in tokens minted with it.")
    labels: dict[Text, Label] = Field(default_factory=dict, description="Labels, for people.")
    short_secret_allowed_for_legacy_credential: Flag = Field(
        False, description="A secret shorter than its algorithm wants is accepted. Dangerous."
    )
    guessable_secret_allowed_for_legacy_credential: Flag = Field(
        False, description="A secret that stands in every word list is accepted. Dangerous."
    )
    may_wait_for_its_secrets: Flag = Field(
        False,
        description="A reference that leads nowhere yet makes the credential unusable for as long, and nothing else. "
        "It is tried again every 30 seconds, and at most once a second when a token names what nobody knows.",
    )

    @property
    def kind(self) -> str:
        """The name of the place of what verifies."""
        return exactly_one(self.model_fields_set, _KEYS)

    @model_validator(mode="after")
    def _fits_together(self) -> CredentialSection:
        raise_all(self._mistakes(self.kind))
        if self.secret is not None and "${" not in self.secret:
            self._check_secret(self.secret)
        return self

    def _mistakes(self, kind: str) -> Iterator[str]:
        if kind == "api_key":
            if self.alg is not None or self.named is not None or self.private_key is not None:
                yield "an API key stands alone: alg, named and private_key are those of tokens"
        elif self.claims:
            yield "claims are those of an API key; a token has its own"
        elif self.alg is None:
            yield "needs alg, the one algorithm of its tokens"
        else:
            yield from self._mistakes_of_keys(kind, is_mac(self.alg))
        if self.named is not None and "${" not in self.named and not _NAME.fullmatch(self.named):
            yield "named has at most 256 characters, none of them a control character"
        if (self.leeway_seconds or 0) > MOST_LEEWAY_SECONDS and not self.long_leeway_allowed_for_legacy_tokens:
            yield "leeway_seconds is at most 300; more needs long_leeway_allowed_for_legacy_tokens"
        allowed = (self.short_secret_allowed_for_legacy_credential, self.guessable_secret_allowed_for_legacy_credential)
        if kind != "secret" and (self.base64 or any(allowed)):
            yield "base64 and what is allowed for a legacy secret stand beside secret only"

    def _mistakes_of_keys(self, kind: str, mac: bool) -> Iterator[str]:
        if mac and kind == "public_key":
            yield "a public key is never the secret of a MAC"
        if mac and kind == "keys":
            yield "a secret is never fetched; a MAC needs secret"
        if not mac and kind == "secret":
            yield "a secret serves a MAC only (HS256, HS384, HS512)"
        if mac and self.private_key is not None:
            yield "a MAC has no private key; the secret signs"

    def _check_secret(self, secret: str) -> None:
        try:
            value = base64url_decode(as_base64url(secret)) if self.base64 else secret.encode()
        except ValueError:
            raise ValueError("the secret is not base64") from None
        try:
            Key.secret(
                value,
                alg=self.alg or "",
                short_secret_allowed_for_legacy_credential=self.short_secret_allowed_for_legacy_credential,
                guessable_secret_allowed_for_legacy_credential=self.guessable_secret_allowed_for_legacy_credential,
            )
        except KeyRefused as refused:
            raise ValueError(f"the secret cannot be used: {refused.sentence}") from None


class ConsumerSection(Section):
    """One caller the gateway knows by name."""

    id: Maybe[Text] = Field(None, description="Our own name of it, which never changes. Default: made from its name.")
    external_id: Maybe[Annotated[str, Field(min_length=1, max_length=256)]] = Field(
        None, description="Somebody else's name of it."
    )
    groups: tuple[Text, ...] = Field((), description="The groups it belongs to.")
    labels: dict[Text, Label] = Field(default_factory=dict, description="Labels, for people and for header fields.")
    attributes: dict[Text, JsonValue] = Field(
        default_factory=dict, description="Any data, for expressions and issued tokens."
    )
    annotations: Sealed = Field(
        default_factory=dict, description="Any data of whoever keeps the consumer: never shown, and never used."
    )
    rate_limit: Maybe[ConsumerRateLimitSection] = Field(
        None,
        description="How many requests it may make: on all routes together unless it is `by: route`. It stands "
        "instead of what a route says.",
    )
    credentials: dict[CredentialName, CredentialSection] = Field(
        default_factory=dict,
        description="Its credentials, by the name a token names each by unless it is `named` otherwise.",
    )
