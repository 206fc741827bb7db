"""Apache APISIX with its plugin `jwt-auth`, as a dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jwtgate.dialects.apisix.admin.api import ApisixAdmin
from jwtgate.dialects.apisix.callers import caller_of
from jwtgate.dialects.apisix.document import translated
from jwtgate.dialects.apisix.files.reading import parsed, read_objects
from jwtgate.dialects.apisix.objects import with_secret
from jwtgate.dialects.apisix.schema.plugins import MACS
from jwtgate.dialects.apisix.settings import ApisixSettings, is_settings, may_be_settings, read_settings
from jwtgate.dialects.dialect import AdminApi, Caller, Desk, Objects, Settings, Translation
from jwtgate.errors import ConfigError

MADE = "made_secrets"
"""The collection of secrets made for callers of a file that have none: by the place of each."""


class ApisixDialect:
    """Implements `dialects.dialect.Dialect`."""

    name = "apisix"
    title = "Apache APISIX"
    endings = (".yaml", ".yml", ".json")
    made = (MADE,)

    def settings(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> ApisixSettings:
        """These settings with what is missing as `config.yaml` says, or else as its users are used to."""
        likely = [(name, data) for name, data in texts if may_be_settings(data)]
        return read_settings([plain for _, _, plain in parsed(likely) if is_settings(plain)], settings)

    def read(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Objects | None:
        """The objects of these files; None when they only hold settings. `ConfigError`."""
        return read_objects(texts)

    def files_named(self, objects: Objects, settings: Settings) -> tuple[Path, ...]:
        """None."""
        return ()

    def complete(self, objects: Objects) -> Objects:
        """The same with a secret for every caller of a file that needs one and has none."""
        held: Mapping[str, str] = objects.get(MADE, {})
        wanted = {place: held.get(place) or with_secret(conf)["secret"] for place, conf in _lacking_secrets(objects)}
        return objects if wanted == held else {**objects, MADE: wanted}

    def translate(self, objects: Objects, settings: Settings) -> Translation:
        """What these objects mean, without callers."""
        return translated(objects, settings)

    def callers(self, objects: Objects, settings: Settings) -> Iterator[Caller]:
        """The callers among these objects."""
        made: Mapping[str, str] = objects.get(MADE, {})
        credentials: dict[str, dict[str, Any]] = {}
        for name, value in objects.get("credentials", {}).items():
            username, _, identity = name.partition("/")
            secret = made.get(f"credentials/{name}")
            credentials.setdefault(username, {})[identity] = _given(value, secret)
        for username, value in objects.get("consumers", {}).items():
            consumer = _given(value, made.get(f"consumers/{username}"))
            yield caller_of(consumer, credentials.get(username, {}), objects)

    def admin(self, desk: Desk, settings: Settings, *, is_declarative: bool) -> AdminApi:
        """Its Admin API."""
        if not isinstance(settings, ApisixSettings):
            raise ConfigError("the settings are those of another dialect")
        return ApisixAdmin(desk, settings, is_declarative=is_declarative)


def _lacking_secrets(objects: Objects) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for collection in ("consumers", "credentials"):
        for name, value in objects.get(collection, {}).items():
            conf = value.get("plugins", {}).get("jwt-auth")
            if conf is not None and not conf.get("secret") and conf.get("algorithm", "HS256") in MACS:
                yield f"{collection}/{name}", conf


def _given(value: dict[str, Any], secret: str | None) -> dict[str, Any]:
    """The object with this secret, if there is one."""
    if secret is None:
        return value
    return {**value, "plugins": {**value["plugins"], "jwt-auth": {**value["plugins"]["jwt-auth"], "secret": secret}}}


DIALECT = ApisixDialect()
