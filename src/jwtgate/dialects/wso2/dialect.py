"""WSO2 API Manager: the backend JWT of its two generations of configuration, and the records it is made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jwtgate.dialects.dialect import Caller, Objects, Settings, Translation
from jwtgate.dialects.wso2.reading.files import ENDINGS, read_files
from jwtgate.dialects.wso2.settings import settings_of
from jwtgate.dialects.wso2.translation.callers import callers
from jwtgate.dialects.wso2.translation.document import translated
from jwtgate.dialects.wso2.translation.keys import MADE, completed, pem_files


class Wso2Dialect:
    """WSO2 API Manager, as `dialects.dialect.Dialect` wants one."""

    name = "wso2"
    title = "WSO2 API Manager"
    made = (MADE,)
    endings = ENDINGS

    def settings(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Settings:
        """The settings with the addresses of the product's gateway where they have none."""
        return settings_of(settings)

    def read(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Objects:
        """What these files set, and the records they hold. `ConfigError` with every mistake."""
        return read_files(texts, settings.environ)

    def files_named(self, objects: Objects, settings: Settings) -> tuple[Path, ...]:
        """The files with keys and certificates of tenants and issuers."""
        return tuple(pem_files(objects, settings))

    def complete(self, objects: Objects) -> Objects:
        """The objects with a key to sign with; the same object if they bring one."""
        return completed(objects)

    def translate(self, objects: Objects, settings: Settings) -> Translation:
        """The document these objects mean, without callers, and a note for every setting."""
        return translated(objects, settings)

    def callers(self, objects: Objects, settings: Settings) -> Iterator[Caller]:
        """The applications and users among these objects."""
        return callers(objects)


DIALECT = Wso2Dialect()
