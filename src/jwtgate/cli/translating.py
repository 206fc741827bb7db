"""Documents of other gateways in our words: the dialects there are, and what became of every setting."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from jwtgate.cli.answer import Answer, green, red, visible, yellow
from jwtgate.cli.command import colour
from jwtgate.config.source import yaml_text
from jwtgate.dialects.author import DialectAuthor, files_in, folder_of, texts_of
from jwtgate.dialects.dialect import Dialect, Meaning, Note, Settings
from jwtgate.errors import ConfigError

_COLOURS = {Meaning.EXACT: green, Meaning.CHANGED: yellow, Meaning.REFUSED: red}

_MARKS = {
    "apisix": re.compile(rb"^#END\s*\Z", re.MULTILINE),
    "kong": re.compile(rb"^_format_version\s*:", re.MULTILINE),
    "couper": re.compile(rb'^(server|definitions)[ \t]*("[^"\n]*"[ \t]*)?\{', re.MULTILINE),
    "wso2": re.compile(rb"^\s*<(\w+:)?(APIManager|JWTConfiguration)\b|^\[apim\.jwt\]", re.MULTILINE),
}
"""What stands in the files of one gateway and in those of no other."""


def dialect_of(name: str) -> Dialect:
    """The dialect of this name; brought in when it is asked for."""
    found: Dialect = import_module(f"jwtgate.dialects.{name}.dialect").DIALECT
    return found


def dialect_told_by(paths: Sequence[Path]) -> str | None:
    """The dialect whose files nobody could take for others by their names, if these are such."""
    return "couper" if paths and all(map(_is_hcl, paths)) else None


def _is_hcl(path: Path) -> bool:
    return path.is_dir() or path.suffix == ".hcl"


def stop_at_another(name: str | None, paths: Sequence[Path]) -> None:
    """`ConfigError` for a file that is plainly one of another gateway than this; None: than ours."""
    for text_name, data in texts_of(files_in(paths, () if name is None else dialect_of(name).endings)):
        for other, mark in _MARKS.items():
            if other != name and mark.search(data[:65536] + b"\n" + data[-64:]):
                advice = f"say {other} instead of {name}" if name else f"serve it with --dialect {other}, or import it"
                raise ConfigError(f"{text_name}: is a file of {dialect_of(other).title}; {advice}.")


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A document of ours that means what files of another gateway do, and what became of each of their settings."""

    document: dict[str, Any] = field(repr=False)
    notes: tuple[Note, ...]


def take_over(name: str, paths: Sequence[Path], *, environment: str | None = None) -> TakenOver:
    """What these files of another gateway mean. `ConfigError`."""
    dialect = dialect_of(name)
    stop_at_another(name, paths)
    texts, folder = texts_of(files_in(paths, dialect.endings)), folder_of(paths)
    settings = Settings(folder=folder, state_folder=folder, environ=os.environ, chosen_environment=environment)
    settings = dialect.settings(texts, settings)
    objects = dialect.read(texts, settings)
    if objects is None:
        raise ConfigError(f"{paths[0]}: holds settings only, and nothing that could be served.")
    if settings.certificate is None:  # whoever serves the document has to bring one
        settings = replace(settings, tls_listen=())
    translation = dialect.translate(objects, settings)
    callers = list(dialect.callers(objects, settings))
    document = dict(translation.document)
    if callers:
        document["consumers"] = {caller.name: _without_annotations(caller.value) for caller in callers}
    return TakenOver(document, (*translation.notes, *(note for caller in callers for note in caller.notes)))


def translate(
    name: str, paths: Sequence[Path], *, is_whole: bool, output: Path | None, environment: str | None = None
) -> Answer:
    """A document of ours that means what these files do, and the report. `ConfigError`."""
    taken_over = take_over(name, paths, environment=environment)
    document, notes = taken_over.document, taken_over.notes
    text = yaml_text(document)
    if output is not None:
        _write(output, text)
        text = f"{output} is written; look at it with: jwtgate check {output}"
    click.echo(report(notes, is_whole=is_whole), err=True, color=colour())
    # What is refused may be missing from the document, which then protects less than was asked for.
    whole = not any(note.meaning is Meaning.REFUSED for note in notes)
    return Answer(text.rstrip("\n"), {"document": document, "notes": [_plain(note) for note in notes]}, good=whole)


def _write(output: Path, text: str) -> None:
    try:
        output.touch(mode=0o600)
        output.chmod(0o600)  # it may have been there, for everybody to read
        output.write_text(text)
    except OSError as trouble:
        raise ConfigError(f"{output}: {trouble.strerror}") from trouble


def report(notes: Sequence[Note], *, is_whole: bool) -> str:
    """What became of the settings: all of them, or those that need a look; and how many there are of each."""
    shown = [note for note in notes if is_whole or note.dangerous or note.meaning is not Meaning.EXACT]
    counts = ", ".join(f"{sum(note.meaning is meaning for note in notes)} {meaning.value}" for meaning in Meaning)
    dangerous = sum(note.dangerous for note in notes)
    counted = f"{len(notes)} settings: {counts}; {dangerous} dangerous."
    return "\n".join([*map(_line, shown), counted])


def _line(note: Note) -> str:
    said = f"{note.meaning.value}, dangerous" if note.dangerous else note.meaning.value
    return f"{_COLOURS[note.meaning](f'{said:<18}')} {visible(f'{note.place}  {note.sentence}'.rstrip())}"


def _plain(note: Note) -> dict[str, object]:
    return {**asdict(note), "meaning": note.meaning.value}


def _without_annotations(value: dict[str, object]) -> dict[str, object]:
    return {key: each for key, each in value.items() if key != "annotations"}


def served(author: DialectAuthor) -> str:
    """Where a dialect will be served, for people who just started it."""
    settings, title = author.settings, author.dialect.title
    places = [(address, "http", "proxy") for address in settings.listen]
    places += [(address, "https", "proxy") for address in settings.tls_listen]
    places += [(address, "http", f"Admin API of {title}") for address in settings.admin_listen]
    places += [(address, "https", f"Admin API of {title}") for address in settings.admin_tls_listen]
    return "\n".join(f"{purpose} on {scheme}://{address}" for address, scheme, purpose in places)
