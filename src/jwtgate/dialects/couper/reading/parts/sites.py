"""`files` and `spa` of a server: pages that are read with the configuration, each at its path."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from jwtgate.dialects.couper.reading.attributes import Attributes
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import Edits, Endpoint, Response, Server, Text
from jwtgate.dialects.couper.reading.parts.levels import Level, joined

MOST_FILES = 1000
MOST_BYTES = 16 * 1024 * 1024
_METHODS = ("GET", "HEAD")
_INDEX = "index.html"


def read_site(block: Block, attributes: Attributes, level: Level, *, outer: Edits) -> Server:
    """This block as a server of its own pages; `outer` are the modifiers of the server it stands in."""
    own = attributes.edits()
    found = _of_files(attributes) if block.type == "files" else _of_spa(attributes)
    pages = tuple(
        Endpoint(
            pattern=path,
            path=joined(level.path, path),
            place=block.place,
            access_control=level.access_control,
            allowed_methods=_METHODS,
            error_file=level.error_file,
            response=Response(block.place, headers=_media_type(file, block), file=file),
            edits=own,
            custom_log_fields=level.custom_log_fields,
            cors=level.cors,
        )
        for path, file in found
    )
    return Server(
        label=block.label,
        place=block.place,
        base_path=level.path,
        endpoints=pages,
        access_control=level.access_control,
        error_file=level.error_file,
        edits=outer,
        custom_log_fields=level.custom_log_fields,
        cors=level.cors,
    )


def _media_type(file: Path, block: Block) -> Text:
    media_type = mimetypes.guess_type(file.name)[0] or "text/plain"
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return Text(f'{{ content-type = "{media_type}{charset}" }}', block.place)


def _of_spa(attributes: Attributes) -> Iterator[tuple[str, Path]]:
    file = attributes.text_file("bootstrap_file", label="spa")
    for path in attributes.strings("paths") or ():
        if file is not None:
            yield path, file


def _of_files(attributes: Attributes) -> Iterator[tuple[str, Path]]:
    root = attributes.path("document_root")
    if root is None:
        return
    if not root.is_dir():
        attributes.mistakes.of(
            "files", f"document_root: {root} is no directory", place=attributes.place("document_root")
        )
        return
    files = sorted(path for path in root.rglob("*") if path.is_file())
    if len(files) > MOST_FILES or sum(path.stat().st_size for path in files) > MOST_BYTES:
        sentence = f"document_root: more than {MOST_FILES} files, or {MOST_BYTES} bytes"
        attributes.mistakes.of("files", sentence, place=attributes.place("document_root"))
        return
    attributes.context.files.extend(files)
    for file in files:
        yield from _of_file(file, root, attributes)


def _of_file(file: Path, root: Path, attributes: Attributes) -> Iterator[tuple[str, Path]]:
    path = file.relative_to(root).as_posix()
    try:
        file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        attributes.context.warnings.append(f"files: {path} is left out: only text is served.")
        return
    if file.name == _INDEX:
        yield "/" + quote(path.removesuffix(_INDEX)), file
    yield "/" + quote(path), file
