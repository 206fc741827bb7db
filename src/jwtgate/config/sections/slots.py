"""Slots of a route: where a credential may stand, whose tokens are accepted, and what they must say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jwtgate.config.sections.answers import Answers
from jwtgate.config.sections.callers.dpop import DpopSection
from jwtgate.config.sections.claims import ClaimRuleSection, Path
from jwtgate.config.sections.section import (
    CookieName,
    FieldName,
    Flag,
    Maybe,
    Name,
    OneOrMore,
    ParameterName,
    Section,
    SettableFieldName,
    Text,
    exactly_one,
    not_empty,
)
from jwtgate.config.sections.values import SomeValue

_PLACES = ("bearer", "scheme", "header", "cookie", "query", "value")


class SourceSection(Section):
    """One place a slot looks for its credential."""

    bearer: Maybe[Literal[True]] = Field(None, description="`Authorization: Bearer`; short: the word `bearer`.")
    scheme: Maybe[FieldName] = Field(
        None,
        description="`Authorization` with this scheme, in any case: whatever follows it is the credential, where "
        "`bearer` refuses a request whose field has more than one reading.",
    )
    header: Maybe[FieldName] = Field(None, description="A header field.")
    prefix: OneOrMore[Annotated[str, Field(pattern=r"^[ -~]{0,64}$")]] = Field(
        ("",),
        description="Exact text before the token in that field. Of several, the longest that is there is meant; a "
        "field with none of them holds no credential.",
    )
    blanks_after_prefix: Flag = Field(False, description="Any blanks may follow the prefix.")
    cookie: Maybe[CookieName] = Field(None, description="A cookie.")
    query: Maybe[ParameterName] = Field(None, description="A parameter of the query. Dangerous: addresses are logged.")
    value: Maybe[SomeValue] = Field(
        None,
        description="A value, whose text is the credential, or the digits of its number. What is blank, or neither, is "
        "not there. The upstream does not receive the header fields and parameters it looks at.",
    )

    @property
    def place(self) -> str:
        """The name of the kind of place."""
        return exactly_one(self.model_fields_set, _PLACES)

    @property
    def fields(self) -> tuple[str, ...]:
        """The header fields it looks at, cookies aside."""
        if self.bearer or self.scheme is not None:
            return ("Authorization",)
        return self._parts("headers") if self.header is None else (self.header,)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the query it looks at."""
        return self._parts("query") if self.query is None else (self.query,)

    def _parts(self, of: str) -> tuple[str, ...]:
        """The names its value looks at in this part of a request."""
        paths = () if self.value is None else self.value.looks_at
        return tuple(str(path[2]) for path in paths if path[:2] == ("request", of) and len(path) > 2)

    @model_validator(mode="after")
    def _is_one_place(self) -> SourceSection:
        place = self.place
        if {"prefix", "blanks_after_prefix"} & self.model_fields_set and place != "header":
            raise ValueError("prefix and blanks_after_prefix stand beside header only")
        return self


BEARER = SourceSection.model_validate({"bearer": True})


def _bearer(value: object) -> object:
    if isinstance(value, str) and value != "bearer":
        raise ValueError("must be bearer, or a mapping with scheme, header, cookie, query or value")
    return {"bearer": True} if value == "bearer" else value


Source = Annotated[SourceSection, BeforeValidator(_bearer, json_schema_input_type=SourceSection | Literal["bearer"])]

ScopeToken = Annotated[str, Field(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]+$")]
ScopeWords = Annotated[str, Field(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]+( +[\x21\x23-\x5B\x5D-\x7E]+)*$")]


class ScopeSection(Section):
    """The scope a token must have. Empty lists ask nothing."""

    all: tuple[ScopeToken, ...] = Field((), description="Scope tokens of which none may be missing.")
    any: tuple[ScopeWords, ...] = Field(
        (), description="Scope tokens of which one is enough. Of an entry with blanks all words are asked together."
    )
    claim: Path = Field(("scope",), description="Path of the claim that holds the scope.")


def _scope(value: object) -> object:
    if isinstance(value, str):
        return {"all": value.split()}
    return {"all": value} if isinstance(value, list) else value


Scope = Annotated[ScopeSection, BeforeValidator(_scope, json_schema_input_type=ScopeSection | str | list[str])]


def _no_word_any(value: tuple[str, ...]) -> tuple[str, ...]:
    if "any" in value:
        raise ValueError("any audience is said of an issuer, never here")
    return value


def _several_paths(value: object) -> object:
    # A text is one path; a list is a list of paths, each a text or a list of steps.
    return not_empty(value) if isinstance(value, list | tuple) else [value]


class ConsumerSection(Section):
    """The claims that name the consumer a token belongs to."""

    claim: Annotated[
        tuple[Path, ...],
        BeforeValidator(_several_paths, json_schema_input_type=str | list[str | list[str | int]]),
    ] = Field(description="Path of the claim, or a list of paths that are tried in order.")
    by: OneOrMore[Literal["name", "external_id", "id"]] = Field(
        ("external_id", "name"), description="What the claim names a consumer by; tried in order."
    )
    required: Flag = Field(True, description="A token that leads to no consumer is refused.")
    numbers: Flag = Field(False, description="A whole number counts as the text of its digits.")


class IntrospectedSection(Section):
    """What is asked of a token that its issuer was asked about, all of it: what is left out is not asked."""

    claims: tuple[ClaimRuleSection, ...] = Field((), description="Rules besides those of the issuer.")
    scope: Maybe[Scope] = Field(None, description="Scope the token must have.")
    consumer: Maybe[ConsumerSection] = Field(None, description="How the token leads to a consumer.")


class Credential(Section):
    """What is asked of one credential."""

    sources: Maybe[OneOrMore[Source]] = Field(
        None, alias="from", description="Where the credential may stand; never in two places at once. Default: bearer."
    )
    first_source_wins_for_legacy_clients: Flag = Field(
        False,
        description="Where several places hold something, even an empty text, the first of `from` decides; of several "
        "lines of a field, or several cookies of a name, the first. Dangerous.",
    )
    equal_tokens_count_once_for_legacy_clients: Flag = Field(
        False,
        description="The same token in several places or lines counts as one, and an empty text as none. Different "
        "ones are refused all the same. Dangerous.",
    )
    empty_counts_as_absent_for_legacy_clients: Flag = Field(
        False, description="An empty credential is taken for none at all. Dangerous where the slot is optional."
    )
    issuers: Maybe[OneOrMore[Name]] = Field(None, description="The issuers whose tokens are accepted.")
    audience: Maybe[Annotated[OneOrMore[Text], AfterValidator(_no_word_any)]] = Field(
        None, description="Audiences meant here, instead of those of the issuer."
    )
    claims: tuple[ClaimRuleSection, ...] = Field((), description="Rules besides those of the issuer.")
    claims_equal: Maybe[SomeValue] = Field(
        None,
        description="A value that is an object: the token must have each of its members as a claim, with the same "
        "value. `iss` is text; `aud` is text that is one of the token's audiences.",
    )
    scope: Maybe[Scope] = Field(
        None, description="Scope the token must have: text or a list (all of them), or `all` and `any` of a claim."
    )

    introspect: Maybe[Literal["opaque", "always", "additionally", "jwt_additionally"]] = Field(
        None,
        description="Which tokens the introspecting issuer is asked about: those that are no JWT, all of them, all "
        "but a JWT only after its signature held, or the last alone: what is no JWT is refused. Default: `opaque`.",
    )
    introspected: Maybe[IntrospectedSection] = Field(
        None,
        description="What is asked of a token that its issuer was asked about and nothing else proves, instead of "
        "`claims`, `scope` and `consumer`.",
    )
    consumer: Maybe[ConsumerSection] = Field(None, description="How the token leads to a consumer.")
    original_header: Maybe[SettableFieldName] = Field(
        None, description="A header field that carries the credential itself to the upstream. Dangerous."
    )

    dpop: Maybe[DpopSection] = Field(
        None,
        description="The token is bound to a key. It comes as `Authorization: DPoP` with a proof, in the field `DPoP`, "
        "that its caller holds that key (RFC 9449). Nothing is remembered of such requests.",
    )

    @model_validator(mode="after")
    def _stands_where_proofs_are_asked(self) -> Credential:
        if self.dpop is not None and self.sources is not None:
            raise ValueError("a token with a proof stands in Authorization, so dpop and from exclude each other")
        return self

    @model_validator(mode="after")
    def _has_one_rule_for_several(self) -> Credential:
        if self.first_source_wins_for_legacy_clients and self.equal_tokens_count_once_for_legacy_clients:
            raise ValueError(
                "first_source_wins_for_legacy_clients and equal_tokens_count_once_for_legacy_clients exclude each other"
            )
        return self

    @property
    def places(self) -> tuple[SourceSection, ...]:
        """Where the credential may stand."""
        return self.sources or (BEARER,)

    @property
    def fields(self) -> tuple[str, ...]:
        """The header fields it may stand in, cookies aside."""
        found = (name for source in self.places for name in source.fields)
        return (*found, *(() if self.dpop is None else ("DPoP",)))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the query it may stand in."""
        return tuple(name for source in self.places for name in source.parameters)


class SlotSection(Credential):
    """One named slot of a route."""

    answers: Maybe[Answers] = Field(
        None,
        description="What refusals and faults in this slot look like; looked at before the `answers` of the route.",
    )

    auth: Maybe[Literal["required", "optional"]] = Field(
        None, description="Whether the credential must be there. Default: as the route says."
    )
    private_responses: Maybe[Flag] = Field(
        None,
        description="Whether this credential makes an answer private to caches; one that does suffices. Default: as "
        "the route says.",
    )
