"""Where an issuer is asked about tokens (RFC 7662), how we prove who we are there, and how its answers are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from jwtgate.config.sections.claims import ClaimRuleSection, Path
from jwtgate.config.sections.section import (
    Alg,
    Count,
    FileName,
    Flag,
    JsonValue,
    Maybe,
    OneOrMore,
    Seconds,
    Secret,
    Section,
    Text,
    Url,
    Whole,
    exactly_one,
    raise_all,
)
from jwtgate.jose.algorithms import is_mac

_NEEDED = {
    "basic": {"client_id", "client_secret"},
    "post": {"client_id", "client_secret"},
    "client_secret_jwt": {"client_id", "client_secret"},
    "private_key_jwt": {"client_id", "client_key"},
    "none": set[str](),
}
_UNREAD = {
    "exp_not_looked_at_for_legacy_issuer": {"exp_required", "max_lifetime_seconds"},
    "iat_not_looked_at_for_legacy_issuer": {"max_age_seconds", "max_lifetime_seconds"},
}
MOST_LEEWAY_SECONDS = 366 * 24 * 3600
_SAID_BY_US = frozenset({"token", "token_type_hint", "client_id", "client_secret", "client_assertion"})


def unread(section: Section, flags: Mapping[str, set[str]]) -> Iterator[str]:
    """The mistakes of a section that says of something both that it is not looked at and what it must be."""
    for flag, others in flags.items():
        given = sorted(name for name in others & section.model_fields_set if getattr(section, name) is not False)
        if getattr(section, flag) and given:
            yield f"{flag} leaves nothing to do for {', '.join(given)}"


class ClientKeySection(Section):
    """The private key a client assertion is signed with: exactly one place."""

    file: Maybe[FileName] = Field(None, description="A file with a JWK or a PEM text.")
    pem: Maybe[Secret] = Field(None, description="A PEM text, best as a reference.")

    @model_validator(mode="after")
    def _is_one_place(self) -> ClientKeySection:
        exactly_one(self.model_fields_set, ("file", "pem"))
        return self


_OURS_IN_ASSERTION = frozenset({"iss", "sub", "iat", "exp", "jti"})
_OURS_IN_HEADER = frozenset({"alg", "crit", "b64"})


class ClientAssertionSection(Section):
    """How the token we prove ourselves with differs from the usual one (RFC 7523)."""

    lifetime_seconds: Annotated[Whole, Field(ge=1, le=3600)] = Field(60, description="How long it may be used.")
    claims: dict[Text, JsonValue] = Field(
        {}, description="Claims besides `iss`, `sub`, `iat`, `exp` and `jti`, or another `aud`."
    )
    header: dict[Text, JsonValue] = Field({}, description="Parameters of its header besides `alg`.")
    jti_prefix: Annotated[str, Field(pattern=r"^[!-~]{0,64}$")] = Field(
        "", description="Text its `jti` begins with; what follows is random."
    )
    aud_left_out_for_legacy_issuer: Flag = Field(
        False, description="It says nothing of whom it is for, unless `claims` does. Dangerous."
    )
    weak_secret_allowed_for_legacy_issuer: Flag = Field(
        False, description="It may be made with a secret that is short or that everybody tries first. Dangerous."
    )

    @model_validator(mode="after")
    def _leaves_us_what_is_ours(self) -> ClientAssertionSection:
        ours = sorted((_OURS_IN_ASSERTION & self.claims.keys()) | (_OURS_IN_HEADER & self.header.keys()))
        if ours:
            raise ValueError(f"must not hold what the gateway itself says: {', '.join(ours)}")
        return self


class IntrospectionSection(Section):
    """Asking an issuer about tokens nobody else can read."""

    endpoint: Maybe[Url] = Field(None, description="Address of the introspection endpoint.")
    discovered: Flag = Field(False, description="The endpoint is taken from the issuer's metadata document.")
    auth: Maybe[Literal["basic", "post", "client_secret_jwt", "private_key_jwt", "none"]] = Field(
        None, description="How we prove who we are. Default: `basic`."
    )
    client_id: Maybe[Text] = Field(None, description="Our name there.")
    client_secret: Maybe[Secret] = Field(None, description="Our secret there, best as a reference.")
    client_key: Maybe[ClientKeySection] = Field(None, description="Our private key for `private_key_jwt`.")
    client_assertion_alg: Maybe[Alg] = Field(
        None, description="The algorithm of our assertion. Default: what the key is for, `HS256` for a secret."
    )
    client_assertion: Maybe[ClientAssertionSection] = Field(
        None, description="How our assertion differs from the usual one."
    )
    authorization: Maybe[Secret] = Field(
        None, description="The whole value of the `Authorization` field, instead of all the above."
    )
    hint: Text | None = Field(
        "access_token", description="The hint sent along, such as `access_token` or `refresh_token`. `null`: none."
    )
    hint_parameter: Text = Field("token_type_hint", description="The parameter the hint is sent in.")
    body: dict[Text, Secret] = Field({}, description="More parameters to send.")
    claims: dict[Text, Path] = Field(
        {}, description="Where an answer holds what a JWT holds under this name, such as `scope`, `aud` or `exp`."
    )
    jwt_claim: Maybe[Path] = Field(None, description="An answer carries a JWT here, whose claims stand for it.")
    inner_claims_not_checked_for_legacy_issuer: Flag = Field(
        False,
        description="The claims of that JWT are taken as they are: times, audience, rules, scope and consumer are "
        "those of the answer itself. Dangerous.",
    )
    active_kept_for_legacy_upstream: Flag = Field(
        False, description="The token has the member `active` of its answer as a claim; by default it is left out."
    )
    signed: Flag = Field(False, description="Only answers signed with the issuer's keys are taken (RFC 9701).")
    audience: Maybe[OneOrMore[Text]] = Field(
        None, description="Audiences meant for us in an answer, instead of those of the issuer."
    )
    rules: tuple[ClaimRuleSection, ...] = Field((), description="Rules every answer must satisfy.")
    leeway_seconds: Maybe[Annotated[Whole, Field(ge=0, le=MOST_LEEWAY_SECONDS)]] = Field(
        None, description="How far its clock may differ from ours. Default: as the issuer says."
    )
    exp_required: Flag = Field(False, description="An answer must say when the token ends.")
    exp_not_looked_at_for_legacy_issuer: Flag = Field(
        False, description="An answer with an `exp` that is past, or that is no time, is taken. Dangerous."
    )
    nbf_not_looked_at_for_legacy_issuer: Flag = Field(
        False, description="An answer with an `nbf` that is yet to come, or that is no time, is taken. Dangerous."
    )
    iat_not_looked_at_for_legacy_issuer: Flag = Field(
        False,
        description="An answer with an `iat` from the future, or that is no time, is taken. Dangerous.",
    )
    max_age_seconds: Maybe[Count] = Field(None, description="Most seconds since `iat`.")
    max_lifetime_seconds: Maybe[Count] = Field(None, description="Most seconds from `iat` to `exp`.")
    cache_seconds: Annotated[float, Field(strict=True, ge=0, le=86400)] = Field(
        60, description="How long an answer is used, never beyond the token's end."
    )
    negative_cache_seconds: Annotated[float, Field(strict=True, ge=0, le=10)] = Field(
        5, description="How long the answer that a token is not active is used."
    )
    timeout_seconds: Annotated[Seconds, Field(le=60)] = Field(5, description="How long one question may take.")
    attempts: Annotated[Whole, Field(ge=1, le=3)] = Field(1, description="How often is asked, the first included.")
    most_in_flight: Annotated[Whole, Field(ge=1, le=1024)] = Field(64, description="Most questions at a time.")
    unknown_answers_are_failures: Flag = Field(
        False,
        description="An answer that does not say whether the token is active is none, as if the call had failed. By "
        "default the token is not active.",
    )
    cache_control_not_looked_at_for_legacy_issuer: Flag = Field(
        False, description="An answer is used for its time even if it says it may not be kept. Dangerous."
    )
    stale_if_error_seconds: Annotated[float, Field(strict=True, ge=0, le=3600)] = Field(
        0, description="How long an answer is used beyond its time while the issuer cannot be asked. Dangerous."
    )

    @property
    def authenticates_by(self) -> str:
        """How we prove who we are: `authorization`, or a word of `auth`."""
        return "authorization" if self.authorization is not None else self.auth or "basic"

    @model_validator(mode="after")
    def _fits_together(self) -> IntrospectionSection:
        raise_all((*self._mistakes_of_address(), *self._mistakes_of_client(), *self._mistakes_of_answers()))
        return self

    def _mistakes_of_answers(self) -> Iterator[str]:
        if self.inner_claims_not_checked_for_legacy_issuer and self.jwt_claim is None:
            yield "inner_claims_not_checked_for_legacy_issuer needs jwt_claim"
        yield from unread(self, _UNREAD)

    def _mistakes_of_address(self) -> Iterator[str]:
        if (self.endpoint is None) != self.discovered:
            yield "needs exactly one of endpoint, discovered"
        ours = sorted((_SAID_BY_US | {self.hint_parameter}) & self.body.keys())
        if ours:
            yield f"body must not hold what the gateway itself sends: {', '.join(ours)}"

    def _mistakes_of_client(self) -> Iterator[str]:
        if self.client_assertion is not None and not self.authenticates_by.endswith("_jwt"):
            yield f"client_assertion has no use with {self.authenticates_by}"
        told = {"client_id", "client_secret", "client_key", "client_assertion_alg"} & self.model_fields_set
        if self.authorization is not None:
            if told or self.auth is not None:
                yield "authorization stands instead of auth and client_*"
            return
        method = self.auth or "basic"
        missing = sorted(_NEEDED[method] - told)
        if missing:
            yield f"auth {method} needs {', '.join(missing)}"
        beside = sorted(told - _NEEDED[method] - {"client_id", "client_assertion_alg"})
        if beside:
            yield f"auth {method} has no use for {', '.join(beside)}"
        alg = self.client_assertion_alg
        if alg is not None and (not method.endswith("_jwt") or is_mac(alg) != (method == "client_secret_jwt")):
            yield f"client_assertion_alg does not fit auth {method}"
