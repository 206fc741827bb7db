"""A kong.yml in a test: read, translated, and loaded as a document of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.dialects.dialect import Meaning, Note, Objects, Settings, Translation
from jwtgate.dialects.kong.callers import callers
from jwtgate.dialects.kong.file import read_objects
from jwtgate.dialects.kong.settings import settings_of
from jwtgate.dialects.kong.translation.document import translated

SETTINGS = settings_of(
    [],
    Settings(folder=Path(), state_folder=Path(mkdtemp()), environ={}, listen=("127.0.0.1:0",), admin_listen=("x:1",)),
)
NO_KEYS = {f"{token}_signing": False for token in ("access_token", "channel_token")}


def objects(data: Mapping[str, Any]) -> Objects:
    """The objects of a file with this content."""
    return read_objects(json.dumps({"_format_version": "3.0", **data}).encode(), "kong.json")


def service(*plugins: Mapping[str, Any], route: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The content of a file with one service and its route, on which these plugins are."""
    taken = {"name": "r", "paths": ["/x"], **(route or {}), "plugins": list(plugins)}
    return {"services": [{"name": "s", "url": "http://127.0.0.1:9", "routes": [taken]}], **more}


def signer(**config: Any) -> dict[str, Any]:
    """A plugin `jwt-signer` with the channel token optional, and this configuration besides."""
    return {"name": "jwt-signer", "config": {"channel_token_optional": True, **config}}


def translate(data: Mapping[str, Any]) -> Translation:
    """What a file with this content becomes, once the document was loaded and compiled, its consumers with it."""
    held = objects(data)
    translation = translated(held, SETTINGS)
    people = {each.name: each.value for each in callers(held)}
    # The node may know callers that no document names.
    document = {**translation.document, "consumer_files": ["others.jsonl"], **({"consumers": people} if people else {})}
    loaded = load_document(json.dumps(document).encode(), name="kong.json", folder=Path(), resolve=_resolved)
    compile_document(loaded)
    return translation


def route(data: Mapping[str, Any], name: str = "r") -> dict[str, Any]:
    """The one route of ours of this name."""
    found: dict[str, Any] = translate(data).document["routes"][name]
    return found


def note(translation: Translation, place: str) -> Note:
    """What was said of this place."""
    return next(each for each in translation.notes if each.place == place)


def not_exact(translation: Translation) -> dict[str, str]:
    """What was said of every place that is not meant exactly as it was."""
    return {each.place: each.sentence for each in translation.notes if each.meaning is not Meaning.EXACT}


def refused(translation: Translation) -> set[str]:
    """The places that cannot be had."""
    return {each.place for each in translation.notes if each.meaning is Meaning.REFUSED}


def _resolved(text: str) -> str:
    assert "${" not in text.replace("$${", "")
    return text.replace("$${", "${")
