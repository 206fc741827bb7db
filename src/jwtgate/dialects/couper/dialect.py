"""Couper: its configuration files, with what the `jwt` block does and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jwtgate.dialects.couper.reading.configuration import Configuration
from jwtgate.dialects.couper.reading.read import read
from jwtgate.dialects.couper.settings import settings_of
from jwtgate.dialects.couper.translation.controls.issuers import users
from jwtgate.dialects.couper.translation.document import translated
from jwtgate.dialects.dialect import Caller, Objects, Settings, Translation

_CONFIGURATION = "configuration"
"""The one object there is."""


class CouperDialect:
    """Couper, as `dialects.dialect.Dialect` wants one."""

    name = "couper"
    title = "Couper"
    endings = (".hcl",)
    made = ()

    def settings(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Settings:
        """The settings with what is missing as the configuration or Couper's habits say. `ConfigError`."""
        return settings_of(_read(texts, settings), settings)

    def read(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Objects | None:
        """The configuration these files are together. `ConfigError` with every mistake."""
        return {_CONFIGURATION: _read(texts, settings)}

    def files_named(self, objects: Objects, settings: Settings) -> tuple[Path, ...]:
        """The files with keys, maps and pages."""
        configuration: Configuration = objects[_CONFIGURATION]
        return configuration.files

    def complete(self, objects: Objects) -> Objects:
        """The same: Couper makes nothing by itself."""
        return objects

    def translate(self, objects: Objects, settings: Settings) -> Translation:
        """The document this configuration means, without callers, and a note for every setting."""
        return translated(objects[_CONFIGURATION], settings)

    def callers(self, objects: Objects, settings: Settings) -> Iterator[Caller]:
        """The users of `basic_auth`."""
        return users(objects[_CONFIGURATION])


def _read(texts: Sequence[tuple[str, bytes]], settings: Settings) -> Configuration:
    return read(texts, settings.folder, environment=settings.chosen_environment, environ=settings.environ)


DIALECT = CouperDialect()
