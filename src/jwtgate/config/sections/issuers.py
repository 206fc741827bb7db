"""The `issuers` section: who signs the tokens we accept, where their keys are, what their tokens must satisfy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict, model_validator

from jwtgate.config.sections.callers.grants import GrantsSection
from jwtgate.config.sections.callers.introspection import MOST_LEEWAY_SECONDS, IntrospectionSection, unread
from jwtgate.config.sections.claims import ClaimRuleSection, Path
from jwtgate.config.sections.section import (
    Alg,
    Count,
    FileName,
    Flag,
    JwkSet,
    LongSeconds,
    Maybe,
    OneOrMore,
    Secret,
    Section,
    SettableFieldName,
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
from jwtgate.jose.algorithms import is_mac, mixes_families
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key

USUAL_LEEWAY_SECONDS = 300
_OF_SECRETS = ("short_secret_allowed_for_legacy_credential", "guessable_secret_allowed_for_legacy_credential")
_OF_FETCHED_KEYS = frozenset(
    {
        *("key_set_refreshed_early", "key_set_saved", "key_set_required_at_start"),
        *("keys_fetched_again_after_wrong_signature", "keys_fetched_for_unknown_kid"),
    }
)
_OF_KEY_SETS = frozenset({"keys_by_kid_alone", "keys_must_say_use", "keys_without_alg_serve_every_algorithm"})
_UNREAD = {
    "exp_not_looked_at_for_legacy_tokens": {"exp_claim", "max_lifetime_seconds", "max_remaining_seconds"},
    "nbf_not_looked_at_for_legacy_tokens": {"nbf_claim", "nbf_required"},
    "iat_not_looked_at_for_legacy_tokens": {"max_age_seconds", "max_lifetime_seconds"},
}


class KeysSection(Section):
    """Where an issuer's keys come from: exactly one place."""

    discovery: Maybe[Url] = Field(None, description="Address of the issuer's metadata document.")
    url: Maybe[Url] = Field(None, description="Address of the JWK Set.")
    file: Maybe[FileName] = Field(None, description="A file with a JWK, a JWK Set or a PEM text.")
    jwks: Maybe[JwkSet] = Field(None, description="A JWK Set, a JWK or a list of JWKs, here in the document.")
    pem: Maybe[Secret] = Field(None, description="A PEM text of a public key or a certificate, or a reference to one.")
    secret: Maybe[Secret] = Field(None, description="The secret of a MAC algorithm, best as a reference.")
    base64url: Flag = Field(False, description="The secret is written in base64url.")
    username: Maybe[Text] = Field(None, description="Our name at `url` (basic authentication).")
    password: Maybe[Secret] = Field(None, description="Our password there, best as a reference.")
    headers: dict[SettableFieldName, Secret] = Field({}, description="Header fields we send to `url`.")
    unusable_skipped: Flag = Field(
        False,
        description="Keys of `file` or `jwks` that cannot be used are left out, as those that are fetched; else each "
        "must be good. With `empty_key_set_allowed` all may be left out, or `keys` itself, also of a set at `url`.",
    )
    certificates_first: Flag = Field(False, description="Of an entry with `x5c` the key in the certificate is meant.")
    any_media_type: Flag = Field(False, description="A set at `url` may call itself a page, `text/html`.")
    client_certificate: Maybe[FileName] = Field(None, description="A PEM file with the certificate we show there.")
    client_key: Maybe[FileName] = Field(None, description="A PEM file with its private key.")

    @property
    def kind(self) -> str:
        """The name of the place."""
        return exactly_one(self.model_fields_set, ("discovery", "url", "file", "jwks", "pem", "secret"))

    @model_validator(mode="after")
    def _is_one_place(self) -> KeysSection:
        kind = self.kind
        if self.base64url and kind != "secret":
            raise ValueError("base64url stands beside secret only")
        raise_all(self._mistakes_of_client(kind))
        return self

    def _mistakes_of_client(self, kind: str) -> Iterator[str]:
        told = (self.username, self.client_certificate, self.headers or None, self.any_media_type or None)
        if kind != "url" and any(each is not None for each in told):
            yield "username, client_certificate, headers and any_media_type stand beside url only"
        if kind not in ("file", "jwks", "url") and self.unusable_skipped:
            yield "unusable_skipped stands beside url, file and jwks only"
        if kind != "url" and self.certificates_first and not self.unusable_skipped:
            yield "certificates_first needs url or unusable_skipped"
        if (self.username is None) != (self.password is None):
            yield "username and password need each other"
        if (self.client_certificate is None) != (self.client_key is None):
            yield "client_certificate and client_key need each other"


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


class LookupSection(Section):
    """What names the consumer's credential in a token: a claim, a parameter of its header, or that where no claim is.

    Or the credential is no token at all, but an API key.
    """

    claim: Maybe[Path] = Field(None, description="Path of the claim.")
    header: Maybe[Text] = Field(
        None, description="Name of the parameter of the token's own header; looked at where the claim is not there."
    )
    api_key: Maybe[Literal[True]] = Field(
        None, description="What is presented is the API key of a consumer, and no token."
    )
    base64_for_legacy_credentials: Flag = Field(
        False,
        description="The secrets of these credentials are base64 or base64url, whatever the credentials say, and may "
        "be short once they are decoded. Dangerous.",
    )

    @model_validator(mode="after")
    def _names_something(self) -> LookupSection:
        if not self.model_fields_set:
            raise ValueError("needs claim, header or api_key")
        if self.api_key and len(self.model_fields_set) > 1:
            raise ValueError("an API key has neither claim nor header")
        return self


class IssuerSection(Section):
    """One issuer of tokens."""

    issuer: Maybe[Text] = Field(
        None,
        description="The exact `iss` of its tokens, code point for code point. Needed unless its tokens are those of "
        "consumers, or are introspected and nothing else.",
    )
    iss_not_looked_at_for_legacy_issuer: Flag = Field(
        False, description="Instead of `issuer`: its tokens have any `iss`, or none. Needs `keys`. Dangerous."
    )
    signature_not_verified_for_legacy_issuer: Flag = Field(
        False,
        description="Any JWT that can be read is taken for one of its tokens, whoever made it: no keys, no algorithms. "
        "Dangerous.",
    )
    keys: Maybe[KeysSection] = Field(None, description="Where its keys come from. Default: discovery from `issuer`.")
    algorithms: Maybe[OneOrMore[Alg]] = Field(
        None,
        description="The algorithms its tokens may use; never a MAC together with a signature. Needed unless its "
        "tokens are those of consumers, or are introspected and nothing else.",
    )
    consumers: Maybe[LookupSection] = Field(
        None, description="Consumers make the tokens, each with its own credentials; this names the credential."
    )
    introspection: Maybe[IntrospectionSection] = Field(
        None, description="Tokens may be asked about (RFC 7662); which ones, a slot says."
    )
    permissions: Maybe[GrantsSection] = Field(None, description="How claims become permissions.")
    audience: Audience = Field(
        description="The audiences meant for us; the word `any` accepts every token of the issuer, whoever it is for."
    )
    type: Maybe[OneOrMore[Text]] = Field(None, description="The `typ` its tokens must have. Default: any.")
    type_optional: Flag = Field(False, description="A token without `typ` is accepted besides those of `type`.")
    leeway_seconds: Annotated[Whole, Field(ge=0, le=MOST_LEEWAY_SECONDS)] = Field(
        30,
        description=f"How far the issuer's clock may differ from ours; beyond {USUAL_LEEWAY_SECONDS} with "
        "`long_leeway_allowed_for_legacy_tokens` only.",
    )
    long_leeway_allowed_for_legacy_tokens: Flag = Field(
        False, description="`leeway_seconds` may be up to 366 days, here and in `introspection`. Dangerous."
    )
    exp_optional_for_legacy_tokens: Flag = Field(False, description="Tokens without `exp` are accepted. Dangerous.")
    exp_zero_counts_as_none_for_legacy_tokens: Flag = Field(
        False,
        description="A token whose `exp` is 0 counts as one without. Needs `exp_optional_for_legacy_tokens`. "
        "Dangerous.",
    )
    exp_not_looked_at_for_legacy_tokens: Flag = Field(
        False, description="A token with an `exp` that is past, or that is no time, is accepted. Dangerous."
    )
    nbf_not_looked_at_for_legacy_tokens: Flag = Field(
        False, description="A token with an `nbf` that is yet to come, or that is no time, is accepted. Dangerous."
    )
    iat_not_looked_at_for_legacy_tokens: Flag = Field(
        False, description="A token with an `iat` from the future, or that is no time, is accepted. Dangerous."
    )
    malformed_claims_count_as_absent_for_legacy_tokens: Flag = Field(
        False, description="An `iss`, `sub`, `jti` or `aud` that is no text is as if it were not there. Dangerous."
    )
    exp_claim: Path = Field(("exp",), description="Path of the claim that holds the end of a token.")
    nbf_claim: Path = Field(("nbf",), description="Path of the claim that holds the beginning of a token.")
    nbf_required: Flag = Field(False, description="Tokens must say when they begin.")
    max_age_seconds: Maybe[Count] = Field(None, description="Most seconds since `iat`.")
    max_lifetime_seconds: Maybe[Count] = Field(None, description="Most seconds from `iat` to `exp`.")
    max_remaining_seconds: Maybe[Count] = Field(None, description="Most seconds from now to `exp`.")
    claims: tuple[ClaimRuleSection, ...] = Field((), description="Rules every token of this issuer must satisfy.")
    refresh_seconds: LongSeconds = Field(300, description="Age at which its key set is fetched again.")
    max_stale_seconds: Annotated[float, Strict(), Field(ge=0, le=366 * 24 * 3600)] = Field(
        86400,
        description="How long the last good key set is used beyond `refresh_seconds`, while it cannot be fetched.",
    )
    key_set_refreshed_early: Flag = Field(
        True,
        description="Its key set is fetched again up to a quarter before `refresh_seconds` are over, so that many "
        "nodes do not ask as one; else just then.",
    )
    key_set_saved: Flag = Field(True, description="Its key set is kept on disk, to start with while it is away.")
    key_set_required_at_start: Flag = Field(
        False, description="Nothing is started or reloaded while there is no key set of it; else 503 is answered then."
    )
    keys_fetched_for_unknown_kid: Flag = Field(
        True, description="Its key set is fetched again for a `kid` it does not hold, at most once in 30 seconds."
    )
    keys_by_kid_alone: Flag = Field(
        False,
        description="A token and its key have the same `kid`, or both have none. Of several such keys the first is "
        "meant.",
    )
    keys_must_say_use: Flag = Field(False, description="Keys of its set without `use: sig` are left out.")
    keys_without_alg_serve_every_algorithm: Flag = Field(
        False,
        description="A key of its set that names no algorithm serves each of `algorithms` that fits it; else it is "
        "left out where several do.",
    )
    keys_fetched_again_after_wrong_signature: Flag = Field(
        False,
        description="Its key set is fetched again when none of its keys made a signature, at most once in 30 seconds, "
        "as for a `kid` that is not known.",
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
    guessable_secret_allowed_for_legacy_credential: Flag = Field(
        False, description="A secret that everybody tries first is accepted. Dangerous."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> IssuerSection:
        raise_all((*self._mistakes_of_tokens(), *self._mistakes_of_times(), *self._mistakes_of_keys()))
        return self

    def _mistakes_of_times(self) -> Iterator[str]:
        """What looks at a time that is not looked at."""
        yield from unread(self, _UNREAD)
        asked = self.introspection.leeway_seconds if self.introspection is not None else None
        longest = max(self.leeway_seconds, asked or 0)
        if longest > USUAL_LEEWAY_SECONDS and not self.long_leeway_allowed_for_legacy_tokens:
            yield f"leeway_seconds beyond {USUAL_LEEWAY_SECONDS} needs long_leeway_allowed_for_legacy_tokens"

    def _mistakes_of_tokens(self) -> Iterator[str]:
        if self.algorithms is not None and mixes_families(self.algorithms):
            yield "algorithms must not mix MACs (HS256, ...) with signatures"
        if self.type_optional and self.type is None:
            yield "type_optional needs type"
        if self.exp_zero_counts_as_none_for_legacy_tokens and not self.exp_optional_for_legacy_tokens:
            yield "exp_zero_counts_as_none_for_legacy_tokens needs exp_optional_for_legacy_tokens"
        if self.iss_not_looked_at_for_legacy_issuer and self.issuer is not None:
            yield "iss_not_looked_at_for_legacy_issuer stands instead of issuer"
        if self.consumers is not None:
            yield from self._mistakes_of_consumers()
        elif self.signature_not_verified_for_legacy_issuer:
            yield from self._mistakes_of_unverified()
        elif self.algorithms is None and self.introspection is None:
            yield "needs algorithms, consumers or introspection: its tokens must be proven somehow"
        elif self.algorithms is None and self.keys is not None:
            yield "keys need algorithms"
        elif self.algorithms is not None and self.issuer is None and not self.iss_not_looked_at_for_legacy_issuer:
            yield "needs issuer, the exact iss of its tokens"
        elif self.iss_not_looked_at_for_legacy_issuer and (self.keys is None or self.keys.kind == "discovery"):
            yield "iss_not_looked_at_for_legacy_issuer needs keys, and there is no issuer to discover them from"

    def _mistakes_of_unverified(self) -> Iterator[str]:
        if self.keys is not None or self.algorithms is not None:
            yield "signature_not_verified_for_legacy_issuer has no use for keys and algorithms"
        if self.issuer is None and not self.iss_not_looked_at_for_legacy_issuer:
            yield "needs issuer, the iss its tokens claim, or iss_not_looked_at_for_legacy_issuer"

    def _mistakes_of_consumers(self) -> Iterator[str]:
        if self.signature_not_verified_for_legacy_issuer or self.iss_not_looked_at_for_legacy_issuer:
            yield "tokens of consumers are proven by their credentials, whatever their iss; leave the flags out"
        if self.takes_api_keys and self.audience is not None:
            yield "an API key is meant for no audience; say audience: any"
        if self.keys is not None or self.algorithms is not None:
            yield "keys and algorithms are those of each consumer's credential, so they cannot stand beside consumers"
        if self.introspection is not None:
            yield "tokens of consumers are not introspected; name a second issuer for that"

    def _mistakes_of_keys(self) -> Iterator[str]:
        if self.algorithms is not None:
            yield from self._mistakes_of_kind(self.algorithms)
        for flag in _OF_SECRETS:
            if getattr(self, flag) and (self.keys is None or self.keys.secret is None):
                yield f"{flag} needs keys: {{secret: ...}}"
        for flag in _OF_FETCHED_KEYS & self.model_fields_set:
            if not self.fetches_keys:
                yield f"{flag} needs keys that are fetched"
        for flag in _OF_KEY_SETS & self.model_fields_set:
            if not self.fetches_keys and (self.keys is None or self.keys.kind not in ("file", "jwks")):
                yield f"{flag} needs a key set"
        if self.needs_discovery and (self.issuer is None or not is_url(self.issuer)):
            yield "issuer is no address, so nothing can be discovered from it; add keys"
        elif not self.insecure_http and any(map(is_plain_http_elsewhere, self.fetched_from)):
            yield "keys are fetched by https; plain http reaches this host only, or needs insecure_http"
        asked = self.introspection
        if asked is not None and asked.signed and self.algorithms is None:
            yield "signed answers need algorithms, and keys to verify them with"
        endpoint = asked.endpoint if asked is not None and not self.insecure_http else None
        if endpoint is not None and is_plain_http_elsewhere(endpoint):
            yield "tokens are sent by https; plain http reaches this host only, or needs insecure_http"

    def _mistakes_of_kind(self, algorithms: tuple[str, ...]) -> Iterator[str]:
        kind = self.keys.kind if self.keys else "discovery"
        mac = all(map(is_mac, algorithms))
        if mac and kind in ("discovery", "url"):
            yield "a secret is never fetched; a MAC needs keys: {secret: ...}"
        if mac and kind == "pem":
            yield "a public key is never the secret of a MAC"
        if not mac and kind == "secret":
            yield "a secret serves a MAC only (HS256, HS384, HS512)"
        if mac and kind == "secret" and len(algorithms) > 1:
            yield "a secret serves one algorithm; name one"
        elif mac and kind == "secret":
            yield from self._mistakes_of_secret(algorithms[0])

    def _mistakes_of_secret(self, alg: str) -> Iterator[str]:
        """What is wrong with a secret that stands in the document. One that is referred to is seen later."""
        keys = self.keys
        if keys is None or keys.secret is None or "${" in keys.secret:
            return
        try:
            Key.secret(
                base64url_decode(keys.secret) if keys.base64url else keys.secret.encode(),
                alg=alg,
                short_secret_allowed_for_legacy_credential=self.short_secret_allowed_for_legacy_credential,
                guessable_secret_allowed_for_legacy_credential=self.guessable_secret_allowed_for_legacy_credential,
            )
        except ValueError:
            yield "the secret is not base64url"
        except KeyRefused as refused:
            yield f"the secret cannot be used: {refused.sentence}"

    @property
    def needs_discovery(self) -> bool:
        """Whether the addresses of its keys or of its introspection endpoint follow from `issuer`."""
        asked = self.introspection is not None and self.introspection.discovered
        unnamed = self.keys is None or self.keys.discovery is None
        return (self.keys is None and self.algorithms is not None) or (asked and unnamed)

    @property
    def takes_api_keys(self) -> bool:
        """Whether what it takes is no token at all."""
        return self.consumers is not None and self.consumers.api_key is not None

    @property
    def fetches_keys(self) -> bool:
        """Whether its keys are fetched from somewhere."""
        return self.algorithms is not None and (self.keys is None or self.keys.kind in ("discovery", "url"))

    @property
    def fetched_from(self) -> tuple[str, ...]:
        """The configured addresses the keys are fetched from."""
        found = (self.issuer,) if self.needs_discovery else ()
        named = (self.keys.discovery, self.keys.url) if self.keys else ()
        return tuple(address for address in (*found, *named) if address is not None)
