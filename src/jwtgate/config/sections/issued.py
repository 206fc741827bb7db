"""Tokens of ours: what every one of them has, what a route makes from a caller's token, what a profile describes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from jwtgate.config.sections.claims import parse_claim_path
from jwtgate.config.sections.section import (
    Flag,
    JsonValue,
    Maybe,
    Name,
    OneOrMore,
    Section,
    SettableFieldName,
    Text,
    Whole,
    as_list,
    raise_all,
)
from jwtgate.config.sections.values import Cel, SomeValue
from jwtgate.policy.requirements import ClaimPath
from jwtgate.policy.rooms.issue import OURS

Copied = Literal["all"] | tuple[tuple[ClaimPath, str], ...]

# What decides how a token is verified, or leads a careless reader to somebody else's key (RFC 7515 section 4.1).
_OUR_HEADER = frozenset(
    {"alg", "typ", "kid", "x5c", "x5t", "x5t#S256", "x5u", "jku", "jwk", "crit", "b64", "zip", "enc", "epk"}
)
_SAME_AS_INCOMING = "same_as_incoming"


_OURS = OURS | {"aud"}
_NOT_SETTABLE = "iss, aud, iat, nbf, exp and jti of an issued token are set by the gateway alone"
# Of a token that has the caller's own registered claims, the others are no longer the gateway's.
_ALWAYS_OURS = frozenset({"iss", "exp"})


def _not_ours(name: str) -> str:
    if name in _OURS:
        raise ValueError(_NOT_SETTABLE)
    return name


NotOurs = Annotated[str, Field(min_length=1), AfterValidator(_not_ours)]
# Of a token that is made with a consumer's own credential, these are the consumer's.
OF_CONSUMERS = frozenset({"iss", "aud"})
AskedFor = Annotated[
    str, Field(min_length=1), AfterValidator(lambda name: name if name in OF_CONSUMERS else _not_ours(name))
]


def _not_our_header(name: str) -> str:
    if name in _OUR_HEADER:
        raise ValueError("this header parameter is the gateway's own")
    return name


HeaderName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_not_our_header)]


def _parse_copied(value: object) -> Copied:
    if value == "all":
        return "all"
    entries = value if isinstance(value, list | tuple) else [value]
    copied = [pair for entry in entries for pair in _copies(entry)]
    names = [name for _, name in copied]
    if len(set(names)) < len(names):
        raise ValueError("copies two claims under one name")
    return tuple(copied)


def _parse_copied_besides(value: object) -> Copied:
    if not isinstance(value, dict) or not value:
        raise ValueError("must map the path of a claim to its new name")
    return _parse_copied(value)


def _copies(entry: object) -> list[tuple[ClaimPath, str]]:
    if isinstance(entry, dict):
        if not all(isinstance(name, str) and name for name in entry.values()):
            raise ValueError("must map the path of a claim to its new name")
        return [(parse_claim_path(path), name) for path, name in entry.items()]
    path = parse_claim_path(entry)
    if isinstance(path[-1], str):
        return [(path, path[-1])]
    raise ValueError("an element of a list needs a name: {path: name}")


_Entry = str | list[str | int] | dict[str, str]


def _listed_audiences(value: object) -> object:
    if value == _SAME_AS_INCOMING:
        return None
    if value is None:
        raise ValueError("must name an audience")
    if isinstance(value, list) and _SAME_AS_INCOMING in value:
        raise ValueError(f"the word {_SAME_AS_INCOMING} stands alone")
    return as_list(value)


class TokenSection(Section):
    """What every token of ours has."""

    key: Maybe[Name] = Field(None, description="The signing key. Default: the only one, or `default`.")
    type: Text = Field("JWT", description="Its `typ`.")
    issuer: Maybe[Text] = Field(None, description="Its `iss`. Default: that of `signing`.")
    ttl_seconds: Annotated[Whole, Field(ge=1, le=366 * 86400)] = Field(300, description="How long it lives.")
    kid: Flag = Field(True, description="Its header names the key it is signed with.")
    x5c: Flag = Field(False, description="Its header holds the certificates of its key.")
    x5t: Flag = Field(False, description="Its header holds the SHA-1 thumbprint of the certificate of its key.")
    x5t_s256: Flag = Field(False, description="Its header holds the SHA-256 thumbprint of that certificate.")
    x5t_of_hex_text_for_legacy_upstream: Flag = Field(
        False,
        description="Thumbprints are the base64url of their own hexadecimal text. No reader of RFC 7515 takes it.",
    )
    x5t_padded_for_legacy_upstream: Flag = Field(False, description="Such thumbprints end in the padding of base64.")
    headers: dict[HeaderName, JsonValue] = Field({}, description="More parameters of its header.")
    encoding_unlike_rfc7515: Maybe[Literal["base64", "base64-unpadded"]] = Field(
        None, description="Its parts are written in another alphabet. No reader of RFC 7515 takes it."
    )
    exp_in_milliseconds_for_legacy_upstream: Flag = Field(
        False, description="Its `exp` counts milliseconds. No reader of RFC 7519 takes it."
    )
    first_members_for_legacy_reader: tuple[Text, ...] = Field(
        (), description="Members of its header and of its claims that stand first, in this order."
    )
    slashes_escaped_for_legacy_reader: Flag = Field(False, description="Its JSON texts write `/` as `\\/`.")
    jti_is_uuid: Flag = Field(False, description="Its `jti` is written as a UUID (RFC 9562).")
    omit_for_legacy_upstream: tuple[Literal["iss", "aud", "iat", "jti"], ...] = Field(
        (), description="Claims of ours it lacks. Dangerous."
    )


class ToldConsumerSection(Section):
    """A consumer a plug-in is told of besides."""

    value: SomeValue = Field(description="What names it: a text. Where there is none, or nobody is named so: `null`.")
    by: OneOrMore[Literal["name", "external_id", "id"]] = Field(
        ("external_id", "name"), description="What the text names it by; tried in order."
    )
    prefix: str = Field("", description="Text that stands before it in the consumer's name.", max_length=128)


class ToldSection(Section):
    """What a plug-in is told besides."""

    request: Flag = Field(False, description="The method and the path of the request. It is then asked each time.")
    consumers: dict[Name, ToldConsumerSection] = Field({}, description="More consumers, by a name for each.")


class ProfileSection(TokenSection):
    """A token that is made on request, from nobody's token."""

    audience: OneOrMore[Text] = Field(description="Its `aud`.")
    claims: dict[NotOurs, JsonValue] = Field({}, description="Claims it always has, whatever is asked for.")


class IssueSection(TokenSection):
    """A token of ours the upstream receives."""

    slot: Maybe[Name] = Field(None, description="The slot whose token it is made from. Default: the first.")
    header: SettableFieldName = Field("X-JWT-Assertion", description="The header field that carries it.")
    scheme: Maybe[Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")]] = Field(
        None, description="A word before the token, such as `Bearer`."
    )
    when: Maybe[Cel] = Field(None, description="An expression (CEL) that must be true for the token to be made.")
    audience: Annotated[
        tuple[Text, ...] | None,
        BeforeValidator(_listed_audiences, json_schema_input_type=Text | Annotated[list[Text], Field(min_length=1)]),
    ] = Field(description=f"Its `aud`: the upstream it is meant for, or the word `{_SAME_AS_INCOMING}`.")
    ttl_seconds: Annotated[Whole, Field(ge=1, le=86400)] = Field(300, description="How long it lives.")
    lifetime: Literal["ttl", "incoming"] = Field(
        "ttl",
        description="`ttl`: it lives for `ttl_seconds`, within the life of the caller's token. `incoming`: until the "
        "`exp` of that token; for `ttl_seconds` where that has none.",
    )
    no_exp_when_incoming_has_none_for_legacy_upstream: Flag = Field(
        False, description="With `lifetime: incoming`, it has no `exp` where the caller's token has none. Dangerous."
    )
    exp_shift_seconds: Annotated[Whole, Field(ge=-86400, le=86400)] = Field(
        0, description="Added to its `exp` with `lifetime: incoming`."
    )
    copied: Annotated[
        Copied,
        PlainValidator(_parse_copied, json_schema_input_type=Literal["all"] | list[_Entry] | dict[str, str] | str),
    ] = Field(
        (),
        alias="copy",
        description="Claims taken over: `all`, a list of paths, or paths mapped to new names. A path alone keeps its "
        "last name.",
    )
    also_copy: Annotated[
        tuple[tuple[ClaimPath, str], ...], PlainValidator(_parse_copied_besides, json_schema_input_type=dict[str, str])
    ] = Field((), description="Beside `copy: all`, claims taken over once more: paths mapped to new names.")
    copy_registered_for_legacy_upstream: Flag = Field(
        False,
        description="With `copy: all`, the caller's own `sub`, `aud`, `iat`, `nbf`, `jti` and their like are taken "
        "over too, and what it lacks is not added; `set`, `add` and `remove` may name them. `iss` and `exp` stay the "
        "gateway's; with `lifetime: incoming` the latter is the caller's, shifted, though it may have passed; "
        "with `may_outlive_incoming_token` also beyond what `exp_claim` or its issuer says. Dangerous.",
    )
    claim_prefix: str = Field("", description="Text before every name in `add` and `set`.", max_length=256)
    add: dict[Text, SomeValue] = Field({}, description="Claims set where the copied ones lack them.")
    set: dict[Text, SomeValue] = Field({}, description="Claims set in any case.")
    remove: tuple[Text, ...] = Field((), description="Claims left out in the end.")
    generator: Maybe[Name] = Field(
        None,
        description="What adds claims: one of the `generators` of `signing`, or a plug-in (entry point "
        "`jwtgate.claims`).",
    )
    generator_told: ToldSection = Field(ToldSection.model_validate({}), description="What it is told besides.")
    unsigned_with_alg_for_legacy_upstream: Maybe[Literal["none", "NONE"]] = Field(
        None,
        description="It is not signed, and its header says so in this word; what would be its signature is empty. "
        "Whoever reaches the upstream can make such tokens. Dangerous.",
    )
    reuse: Flag = Field(True, description="The same token may be sent again while it lasts.")
    reuse_margin_seconds: Maybe[Annotated[Whole, Field(ge=0, le=86400)]] = Field(
        None, description="It is sent again until so shortly before its `exp`. Default: for three quarters of its life."
    )
    may_outlive_incoming_token: Flag = Field(False, description="It may last longer than the caller's. Dangerous.")

    @model_validator(mode="after")
    def _fits_together(self) -> IssueSection:
        mistakes = []
        if self.scheme is None and self.header.lower() == "authorization":
            mistakes.append("a token in Authorization needs a scheme, such as Bearer")
        if self.exp_shift_seconds and self.lifetime != "incoming":
            mistakes.append("exp_shift_seconds needs lifetime: incoming")
        if self.exp_shift_seconds > 0 and not self.may_outlive_incoming_token:
            mistakes.append("a later exp than that of the incoming token needs may_outlive_incoming_token")
        if self.generator is None and "generator_told" in self.model_fields_set:
            mistakes.append("generator_told needs generator")
        if self.reuse_margin_seconds is not None and not self.reuse:
            mistakes.append("reuse_margin_seconds needs reuse")
        raise_all((*mistakes, *self._mistakes_of_claims()))
        return self

    def _mistakes_of_claims(self) -> Iterator[str]:
        copies_all, copies_registered = self.copied == "all", self.copy_registered_for_legacy_upstream
        if self.also_copy and not copies_all:
            yield "also_copy stands beside copy: all only"
        if copies_registered and not copies_all:
            yield "copy_registered_for_legacy_upstream needs copy: all"
        if self.no_exp_when_incoming_has_none_for_legacy_upstream and self.lifetime != "incoming":
            yield "no_exp_when_incoming_has_none_for_legacy_upstream needs lifetime: incoming"
        ours = _ALWAYS_OURS if copies_registered else _OURS
        new_names = [] if self.copied == "all" else [name for _, name in self.copied]
        named = [*self.add, *self.set, *self.remove, *new_names, *(name for _, name in self.also_copy)]
        if not ours.isdisjoint(named):
            yield "iss and exp are set by the gateway alone" if copies_registered else _NOT_SETTABLE
        elif any(self.claim_prefix + name in ours for name in (*self.add, *self.set)):
            yield "claim_prefix makes one of iss, aud, iat, nbf, exp and jti, which are the gateway's own"
