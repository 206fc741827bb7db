"""How claims become permissions: the claims that hold them, what a role grants, what a permission implies."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, ValidationInfo, model_validator

from jwtgate.config.sections.claims import Path
from jwtgate.config.sections.section import Maybe, Section, Text
from jwtgate.config.source import read_source
from jwtgate.errors import ConfigError
from jwtgate.policy.rooms.grants import MOST_PERMISSIONS


def _as_words(value: object) -> object:
    return [value] if isinstance(value, str) else value


Words = Annotated[tuple[Text, ...], BeforeValidator(_as_words, json_schema_input_type=Text | list[Text])]
WordMap = dict[Text, Words]
_WORD_MAP: TypeAdapter[dict[str, tuple[str, ...]]] = TypeAdapter(WordMap)


def _read_words(value: object, info: ValidationInfo) -> object:
    """The mapping in this file of JSON, YAML or TOML."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("must be the name of a file")
    folder = (info.context or {}).get("folder") or FilePath()
    try:
        source = read_source((folder / value).read_bytes(), value)
        return _WORD_MAP.validate_python(source.data)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except ConfigError as error:
        raise ValueError("; ".join(error.problems)) from None
    except ValidationError as error:
        place: tuple[Any, ...] = error.errors(include_input=False)[0]["loc"]
        named = f" ({place[0]})" if place else ""
        raise ValueError(f"must hold names, each mapped to a word or a list of words{named}") from None


WordFile = Annotated[WordMap, BeforeValidator(_read_words, json_schema_input_type=str)]


class GrantsSection(Section):
    """How the claims of an issuer's tokens become permissions."""

    claim: Maybe[Path] = Field(None, description="The claim that holds permissions: words in a text, or a list.")
    roles_claim: Maybe[Path] = Field(None, description="The claim that holds roles: words in a text, or a list.")
    roles: Maybe[dict[Text, Words]] = Field(
        None, description="The permissions each role grants; `*` stands for every role, named or not."
    )
    roles_file: Maybe[WordFile] = Field(None, description="A file with that mapping, instead of `roles`.")
    implied: Maybe[dict[Text, Words]] = Field(
        None, description="The permissions each permission grants besides itself, and those in turn."
    )
    implied_file: Maybe[WordFile] = Field(None, description="A file with that mapping, instead of `implied`.")

    @property
    def of_role(self) -> dict[str, tuple[str, ...]] | None:
        """What each role grants."""
        return self.roles_file if self.roles_file is not None else self.roles

    @property
    def of_permission(self) -> dict[str, tuple[str, ...]] | None:
        """What each permission grants besides itself."""
        return self.implied_file if self.implied_file is not None else self.implied

    @model_validator(mode="after")
    def _fits_together(self) -> GrantsSection:
        if self.claim is None and self.roles_claim is None:
            raise ValueError("needs claim or roles_claim")
        if (self.roles is not None and self.roles_file is not None) or (
            self.implied is not None and self.implied_file is not None
        ):
            raise ValueError("a mapping stands here or in a file, never in both")
        if (self.roles_claim is None) != (self.of_role is None):
            raise ValueError("roles_claim and roles need each other")
        return _bounded(self)


def _bounded(section: GrantsSection) -> GrantsSection:
    """No caller can be granted more by these mappings than all that is named in them (SEC-48)."""
    named = {name for grants in (section.of_role or {}).values() for name in grants}
    for name, grants in (section.of_permission or {}).items():
        named.add(name)
        named.update(grants)
    if len(named) > MOST_PERMISSIONS:
        raise ValueError(f"names more than {MOST_PERMISSIONS} permissions")
    return section
