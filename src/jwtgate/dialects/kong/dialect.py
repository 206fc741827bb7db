"""Kong: its declarative files and its Admin API, with the plugins `jwt-signer`, `jwt` and `key-auth`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jwtgate.dialects.dialect import AdminApi, Caller, Desk, Objects, Settings, Translation
from jwtgate.dialects.kong.admin.api import KEY_VARIABLE, KongAdmin
from jwtgate.dialects.kong.callers import callers
from jwtgate.dialects.kong.file import merged, read_objects
from jwtgate.dialects.kong.keysets import completed
from jwtgate.dialects.kong.settings import CONF, settings_of
from jwtgate.dialects.kong.translation.document import translated


class KongDialect:
    """Kong, as `dialects.dialect.Dialect` wants one."""

    name = "kong"
    title = "Kong"
    endings = (".yml", ".yaml", ".json", CONF)
    made = ("keysets",)

    def settings(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Settings:
        """The settings with what is missing as `kong.conf`, the environment or Kong's habits say."""
        return settings_of(texts, settings)

    def read(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Objects | None:
        """The objects of these files; None if there are none but settings. `ConfigError` with every mistake."""
        return _objects(texts)

    def files_named(self, objects: Objects, settings: Settings) -> tuple[Path, ...]:
        """None."""
        return ()

    def complete(self, objects: Objects) -> Objects:
        """The objects with the key sets their plugins name; the same object if none is missing."""
        return completed(objects)

    def translate(self, objects: Objects, settings: Settings) -> Translation:
        """The document these objects mean, without callers, and a note for every setting."""
        return translated(objects, settings)

    def callers(self, objects: Objects, settings: Settings) -> Iterator[Caller]:
        """The consumers among these objects."""
        return callers(objects)

    def admin(self, desk: Desk, settings: Settings, *, is_declarative: bool) -> AdminApi:
        """The Admin API."""
        token = settings.environ.get(KEY_VARIABLE)
        return KongAdmin(desk, _objects, is_declarative=is_declarative, token=token)


def _objects(texts: Sequence[tuple[str, bytes]]) -> Objects | None:
    return merged([read_objects(data, name) for name, data in texts if not name.endswith(CONF)])


DIALECT = KongDialect()
