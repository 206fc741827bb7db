"""A configuration in a test: read, translated, loaded as a document of ours and compiled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.unit.dialects.couper.reading.couper_hcl import configuration

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.dialects.couper.translation.controls.issuers import users
from jwtgate.dialects.couper.translation.document import translated
from jwtgate.dialects.couper.translation.draft import Draft
from jwtgate.dialects.dialect import Meaning, Note, Settings, Translation

KEY = 'signature_algorithm = "HS256"\n key = "y0urS3cretT08eU5edF0rC0uPerInThe3xamp1e"'
JWT = f'jwt "J" {{\n {KEY}\n }}'
BACKEND = 'backend "up" {\n origin = "http://127.0.0.1:9"\n }'


def settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Where nothing is written and everything listens nowhere."""
    folder = Path("/nowhere")
    return Settings(folder=folder, state_folder=folder, environ=environ or {}, listen=("127.0.0.1:0",))


def text(endpoint: str = "", *, path: str = "/p", around: str = "", definitions: str = JWT, more: str = "") -> str:
    """A configuration with one endpoint: its body, what stands beside it, and the definitions."""
    body = endpoint or 'access_control = ["J"]\n response {}'
    served = f'server {{\n {around}\n endpoint "{path}" {{\n {body}\n }}\n }}'
    return f"{served}\n definitions {{\n {definitions}\n }}\n {more}\n"


def draft(source: str, environ: Mapping[str, str] | None = None) -> Draft:
    """A document that was only begun."""
    return Draft(configuration(source, environ=environ), settings(environ))


def translate(source: str, *, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Translation:
    """What this configuration becomes, once the document was loaded and compiled, its callers with it."""
    read = configuration(source, environ=environ, **({} if folder is None else {"folder": folder}))
    translation = translated(read, settings(environ))
    if any(note.meaning is Meaning.REFUSED for note in translation.notes):
        return translation
    people = {each.name: each.value for each in users(read)}
    document = {**translation.document, **({"consumers": people} if people else {})}
    loaded = load_document(
        json.dumps(document).encode(), name="couper.json", folder=Path(), resolve=lambda told: _resolved(told, environ)
    )
    compile_document(loaded)
    return translation


def document(source: str, *, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> dict[str, Any]:
    """The document of this configuration."""
    return translate(source, environ=environ, folder=folder).document


def route(endpoint: str = "", name: str = "/p", **how: Any) -> dict[str, Any]:
    """The route of an endpoint with this body."""
    found: dict[str, Any] = document(text(endpoint, **how))["routes"][name]
    return found


def slot(body: str, name: str = "J") -> dict[str, Any]:
    """The slot of a `jwt` with this body besides its key."""
    found: dict[str, Any] = route(definitions=f'jwt "{name}" {{\n {KEY}\n {body}\n }}')["slots"][name]
    return found


def not_exact(translation: Translation) -> dict[str, str]:
    """What was said of every place that is not meant exactly as it was, without the file and the line."""
    return {_short(each): each.sentence for each in translation.notes if each.meaning is not Meaning.EXACT}


def refused(source: str) -> set[str]:
    """The places that cannot be had."""
    return {_short(each) for each in translate(source).notes if each.meaning is Meaning.REFUSED}


def dangerous(source: str) -> set[str]:
    """The places worth a second look."""
    return {_short(each) for each in translate(source).notes if each.dangerous}


def _short(note: Note) -> str:
    return note.place.partition(" ")[2] or note.place


def _resolved(told: str, environ: Mapping[str, str] | None) -> str:
    for name, value in (environ or {}).items():
        told = told.replace(f"${{env:{name}}}", value)
    assert "${" not in told.replace("$${", "")
    return told.replace("$${", "${")
