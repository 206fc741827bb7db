"""The `signing` section: our name, our keys, and the tokens made on request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from jwtgate.config.sections.issued import ProfileSection
from jwtgate.config.sections.section import (
    Alg,
    FileName,
    Filled,
    Flag,
    JsonValue,
    JwkSet,
    LongSeconds,
    Maybe,
    Name,
    Secret,
    Section,
    Text,
    Url,
    Whole,
    is_plain_http_elsewhere,
    raise_all,
)
from jwtgate.errors import KeyRefused
from jwtgate.jose.algorithms import is_mac
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import parse_own_keys

_PLACES = ("file", "url", "secret", "jwks", "pem")
_OF_SECRET = ("base64url", "short_secret_allowed_for_legacy_readers", "guessable_secret_allowed_for_legacy_readers")
_OF_URL = ("username", "password", "client_certificate", "client_key", "refresh_seconds", "ca_file", "insecure_http")


class SigningKeySection(Section):
    """One named set of our signing keys, made here unless they come from somewhere else."""

    alg: Alg = Field("ES256", description="The algorithm its keys are for. A MAC needs `secret`.")
    file: Maybe[FileName] = Field(None, description="A file with the private keys: a JWK, a JWK Set or a PEM text.")
    certificate_file: Maybe[FileName] = Field(
        None, description="A PEM file with the certificate of the key in `file`, then those that signed it."
    )
    url: Maybe[Url] = Field(None, description="Address of a JWK Set with the private keys.")
    username: Maybe[Text] = Field(None, description="Our name there (basic authentication).")
    password: Maybe[Secret] = Field(None, description="Our password there, best as a reference.")
    client_certificate: Maybe[FileName] = Field(None, description="A PEM file with the certificate we show there.")
    client_key: Maybe[FileName] = Field(None, description="A PEM file with its private key.")
    refresh_seconds: LongSeconds = Field(300, description="Age at which that JWK Set is fetched again.")
    ca_file: Maybe[FileName] = Field(None, description="Certificates to trust instead of the system's.")
    insecure_http: Flag = Field(False, description="Plain http may be used to hosts other than this one. Dangerous.")
    secret: Maybe[Secret] = Field(None, description="The secret of a MAC algorithm, best as a reference.")
    base64url: Flag = Field(False, description="The secret is written in base64url.")
    jwks: Maybe[JwkSet] = Field(
        None,
        description="A JWK Set with private keys. The first that fits `alg` signs; the public halves of all are shown.",
    )
    pem: Maybe[Secret] = Field(None, description="A PEM text with the private key, best as a reference.")
    rotate_every_seconds: Maybe[Annotated[Whole, Field(ge=60, le=10 * 366 * 86400)]] = Field(
        None, description="How long each key made here signs. Default: until it is told otherwise."
    )
    published: Flag = Field(True, description="Its public keys stand in our JWK Set. A secret never does.")
    signs_any_claims_for_legacy_readers: Flag = Field(
        False,
        description="Expressions of an installed language may have it sign a token with any header and any claims. "
        "Dangerous.",
    )
    short_secret_allowed_for_legacy_readers: Flag = Field(
        False, description="The secret may be shorter than its algorithm asks for. Dangerous."
    )
    guessable_secret_allowed_for_legacy_readers: Flag = Field(
        False, description="The secret may be one that everybody tries first. Dangerous."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> SigningKeySection:
        raise_all((*self._mistakes_of_place(), *self._mistakes_of_secret(), *self._mistakes_of_jwks()))
        return self

    def _mistakes_of_place(self) -> Iterator[str]:
        given = [name for name in _PLACES if name in self.model_fields_set]
        if len(given) > 1:
            yield f"keys come from one place; {', '.join(given)} exclude each other"
        if self.certificate_file is not None and self.file is None:
            yield "certificate_file needs file"
        if self.rotate_every_seconds is not None and given:
            yield "keys that are made elsewhere are rotated there; rotate_every_seconds cannot stand here"
        needless = [name for name in _OF_URL if name in self.model_fields_set and self.url is None]
        if needless:
            yield f"{', '.join(needless)} need url"
        if (self.username is None) != (self.password is None):
            yield "username and password need each other"
        if (self.client_certificate is None) != (self.client_key is None):
            yield "client_certificate and client_key need each other"
        if self.url is not None and not self.insecure_http and is_plain_http_elsewhere(self.url):
            yield "private keys are fetched by https; plain http reaches this host only, or needs insecure_http"

    def _mistakes_of_secret(self) -> Iterator[str]:
        if self.jwks is None and is_mac(self.alg) != (self.secret is not None):
            yield "a MAC algorithm and secret need each other: nobody could verify with a secret made here"
            return
        needless = [name for name in _OF_SECRET if getattr(self, name) and self.secret is None]
        if needless:
            yield f"{' and '.join(needless)} stands beside secret only"
        if self.secret is None:
            return
        if self.published and "published" in self.model_fields_set:
            yield "a secret is never published"
        if "${" in self.secret:
            return
        try:
            Key.secret(
                base64url_decode(self.secret) if self.base64url else self.secret.encode(),
                alg=self.alg,
                short_secret_allowed_for_legacy_credential=self.short_secret_allowed_for_legacy_readers,
                guessable_secret_allowed_for_legacy_credential=self.guessable_secret_allowed_for_legacy_readers,
            )
        except ValueError:
            yield "the secret is not base64url"
        except KeyRefused as refused:
            yield f"the secret cannot be used: {refused.sentence}"

    def _mistakes_of_jwks(self) -> Iterator[str]:
        if self.jwks is None or "${" in str(self.jwks):
            return
        try:
            keys = parse_own_keys({"keys": self.jwks} if isinstance(self.jwks, list) else self.jwks)
        except KeyRefused as refused:
            yield f"jwks cannot be used: {refused.sentence}"
            return
        if not any(key.signs(self.alg) for key in keys):
            yield f"jwks holds no private key that signs with {self.alg}"


class GeneratorSection(Section):
    """A plug-in that adds claims to tokens of ours, and what it is made with."""

    plug_in: Name = Field(description="The plug-in (entry point `jwtgate.claims`).")
    given: dict[str, JsonValue] = Field({}, description="What its class is given when it is made.")


class SigningSection(Section):
    """Who we are when we issue tokens, and the keys we sign with. Keys are made on first start."""

    issuer: Text = Field(description="The `iss` of the tokens we issue.")
    keys: Filled[dict[Name, SigningKeySection]] = Field(
        {"default": SigningKeySection.model_validate({})}, description="Our signing keys by name."
    )
    profiles: dict[Name, ProfileSection] = Field(
        {}, description="Tokens made on request, by name: by a route with `mint`, or `jwtgate sign`."
    )
    generators: dict[Name, GeneratorSection] = Field(
        {}, description="Plug-ins by the name an `issue` calls each by as its `generator`."
    )
    master_key: Maybe[Secret] = Field(
        None,
        description="Seals our keys where they are kept: 32 bytes or more, best as a reference. Default: not sealed.",
    )
