"""What files hold, for the tests of what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jwtgate.dialects.dialect import Objects, Settings
from jwtgate.dialects.wso2.reading.configuration import configured
from jwtgate.dialects.wso2.reading.files import read_files
from jwtgate.dialects.wso2.translation.draft import Draft
from jwtgate.jose.encoding import json_bytes

APP: dict[str, Any] = {"id": 2, "name": "app", "owner": "ann", "keys": [{"consumer_key": "ck"}]}
PLACES: dict[str, Any] = {"name": "Places", "version": "1", "context": "/p", "endpoint": "http://127.0.0.1:9/base"}


def objects(*, toml: str | None = None, options: dict[str, Any] | None = None, **records: Any) -> Objects:
    """The objects of these records, with tokens switched on."""
    held = {"settings": {"enable": True, "jwt_profile": "v2", **(options or {})}, **records}
    texts = [("records.json", json_bytes(held))]
    return read_files(texts if toml is None else [("deployment.toml", toml.encode()), *texts], {})


def settings(folder: Path) -> Settings:
    """Settings with this folder for everything."""
    return Settings(folder=folder, state_folder=folder, environ={}, listen=("127.0.0.1:0",))


def draft(folder: Path, **more: Any) -> Draft:
    """The beginning of a document."""
    held = objects(**more)
    return Draft(held, settings(folder), configured(held))
