"""The `signing` section, and the tokens a route issues: our name, our keys, what our tokens carry."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from jwtgate.config.sections.claims import SomeValue, parse_claim_path
from jwtgate.config.sections.section import (
    Filled,
    Flag,
    Maybe,
    Name,
    OneOrMore,
    Section,
    SettableFieldName,
    Text,
    Whole,
)
from jwtgate.jose.algorithms import ALGORITHMS, is_mac
from jwtgate.policy.requirements import ClaimPath
from jwtgate.policy.rooms.issue import OURS

Copied = Literal["all"] | tuple[tuple[ClaimPath, str], ...]


_SIGNING = sorted(alg for alg in ALGORITHMS if not is_mac(alg))


def _checked_signing_alg(value: str) -> str:
    if value not in _SIGNING:
        raise ValueError(f"must be a signature algorithm, which others verify with public keys: {', '.join(_SIGNING)}")
    return value


SigningAlg = Annotated[str, AfterValidator(_checked_signing_alg), Field(json_schema_extra={"enum": _SIGNING})]


class SigningKeySection(Section):
    """One named set of our signing keys."""

    alg: SigningAlg = Field("ES256", description="The algorithm its keys are made for.")


class SigningSection(Section):
    """Who we are to the upstreams, and the keys we sign with. The keys are made on first start."""

    issuer: Text = Field(description="The `iss` of the tokens we issue.")
    keys: Filled[dict[Name, SigningKeySection]] = Field(
        {"default": SigningKeySection(alg="ES256")}, description="Our signing keys by name."
    )
    master_key: Maybe[Text] = Field(
        None,
        description="Seals our keys where they are kept: 32 bytes or more, best as a reference. Default: not sealed.",
    )


def _not_ours(name: str) -> str:
    if name in OURS or name == "aud":
        raise ValueError("iss, aud, iat, nbf, exp and jti of an issued token are set by the gateway alone")
    return name


ClaimName = Annotated[str, Field(min_length=1), AfterValidator(_not_ours)]


def _parse_copied(value: object) -> Copied:
    if value == "all":
        return "all"
    entries = value if isinstance(value, list | tuple) else [value]
    copied = [pair for entry in entries for pair in _copies(entry)]
    names = [name for _, name in copied]
    if len(set(names)) < len(names):
        raise ValueError("copies two claims under one name")
    for name in names:
        _not_ours(name)
    return tuple(copied)


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


class IssueSection(Section):
    """A token of ours the upstream receives."""

    slot: Maybe[Name] = Field(None, description="The slot whose token it is made from. Default: the first.")
    key: Maybe[Name] = Field(None, description="The signing key. Default: the only one, or `default`.")
    header: SettableFieldName = Field("X-JWT-Assertion", description="The header field that carries it.")
    scheme: Maybe[Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")]] = Field(
        None, description="A word before the token, such as `Bearer`."
    )
    type: Text = Field("JWT", description="Its `typ`.")
    issuer: Maybe[Text] = Field(None, description="Its `iss`. Default: that of `signing`.")
    audience: OneOrMore[Text] = Field(description="Its `aud`: the upstream it is meant for.")
    ttl_seconds: Annotated[Whole, Field(ge=1, le=86400)] = Field(300, description="How long it lives.")
    copied: Annotated[
        Copied,
        PlainValidator(_parse_copied, json_schema_input_type=Literal["all"] | list[_Entry] | dict[str, str] | str),
    ] = Field(
        (),
        alias="copy",
        description="Claims taken over: `all`, a list of paths, or paths mapped to new names. A path alone keeps its "
        "last name.",
    )
    add: dict[ClaimName, SomeValue] = Field({}, description="Claims set where the copied ones lack them.")
    set: dict[ClaimName, SomeValue] = Field({}, description="Claims set in any case.")
    remove: tuple[ClaimName, ...] = Field((), description="Claims left out in the end.")
    reuse: Flag = Field(True, description="The same token may be sent again while it lasts.")
    may_outlive_incoming_token: Flag = Field(False, description="It may last longer than the caller's. Dangerous.")

    @model_validator(mode="after")
    def _has_an_origin(self) -> IssueSection:
        if self.scheme is None and self.header.lower() == "authorization":
            raise ValueError("a token in Authorization needs a scheme, such as Bearer")
        return self
