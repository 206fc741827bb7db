"""Reading a document for people: all its mistakes, what is dangerous in it, and the routes it describes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jwtgate.cli.answer import Answer, green, mistakes, table, visible, yellow
from jwtgate.cli.translating import dialect_told_by, stop_at_another, take_over
from jwtgate.config.compile.document import compile_document
from jwtgate.config.dangers import dangers
from jwtgate.config.load import load_document, load_plain
from jwtgate.config.parts import check_consumer
from jwtgate.config.references import all_that_may_resolve, must_resolve, secret_stores_of
from jwtgate.config.sections.document import Document
from jwtgate.config.sections.routes import RouteSection
from jwtgate.config.source import yaml_text
from jwtgate.control.documents import Text, read_document
from jwtgate.control.listening.sockets import certificate_files
from jwtgate.dialects.author import folder_of
from jwtgate.dialects.dialect import Meaning, Note
from jwtgate.errors import ConfigError
from jwtgate.gateway.generation import generators_of
from jwtgate.policy.plan import Plan
from jwtgate.policy.sources import SecretStore
from jwtgate.state.callers.credentials import credential_of
from jwtgate.state.callers.directory import Directory
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.http_client import HttpClient
from jwtgate.state.keys.key_sources import is_remote, read_local
from jwtgate.state.secrets.references import Secrets, references_in
from jwtgate.state.secrets.secret_stores import SecretStores

_HEADS = ("route", "path", "auth", "slots", "issues for", "upstream")


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that was read, what it means, and where its secrets come from.

    `notes`: what became of the settings of another gateway, where it was made from those.
    """

    folder: Path
    document: Document
    plan: Plan
    secrets: Secrets
    notes: tuple[Note, ...] = ()

    def directory(self) -> Directory:
        """The consumers of the document and of the files it names. `ConfigError`."""
        directory, sources = Directory.open(None, sealer=None), self.plan.sources
        files = [self.folder / name for name in sources.consumer_files]
        directory.replace_document(sources.consumers, files, parse=check_consumer)
        return directory


def open_document(path: Path, *more: Path, dialect: str | None = None, environment: str | None = None) -> Opened:
    """The document in this file; what it keeps in secret stores is read there. `ConfigError` with all its mistakes.

    With a dialect, or where the name of the file tells one: the document these files of another gateway become.
    """
    paths, notes = (path, *more), tuple[Note, ...]()
    folder, dialect = folder_of(paths), dialect or dialect_told_by(paths)
    if dialect is not None:
        text, notes = _text_of(dialect, paths, environment)
    else:
        text = read_document(path)
    own = Secrets(folder, os.environ)
    try:
        plain = load_plain(text.data, name=text.name)
        stores = secret_stores_of(plain, folder, resolve=own.resolve)
        secrets = asyncio.run(_with_stores(stores, plain, folder)) if stores else own
        document = load_document(text.data, name=text.name, folder=folder, resolve=secrets.resolve)
    except ConfigError:
        if dialect is None:
            stop_at_another(None, (path,))
        raise
    return Opened(folder, document, compile_document(document), secrets, notes)


def _text_of(dialect: str, paths: Sequence[Path], environment: str | None) -> tuple[Text, tuple[Note, ...]]:
    """The document these files become. `ConfigError` for what would be missing from it."""
    taken_over = take_over(dialect, paths, environment=environment)
    refused = [note for note in taken_over.notes if note.meaning is Meaning.REFUSED]
    if refused:
        raise ConfigError(*(f"{note.place}: {note.sentence}" for note in refused))
    text = Text(f"{paths[0].name} in our words.yaml", yaml_text(taken_over.document).encode())
    return text, taken_over.notes


async def _with_stores(sources: Sequence[SecretStore], plain: Any, folder: Path) -> Secrets:
    stores = SecretStores(sources, client=HttpClient(), folder=folder, environ=os.environ)
    try:
        await stores.fetch(references_in(must_resolve(plain)))
        await stores.try_to_fetch(references_in(all_that_may_resolve(plain)))
    finally:
        await stores.close()
    return Secrets(folder, os.environ, stores)


def check(path: Path, *more: Path, dialect: str | None = None, environment: str | None = None) -> Answer:
    """Whether this document can be served: its mistakes, else its routes and what is dangerous in it."""
    opened = open_document(path, *more, dialect=dialect, environment=environment)
    problems = _key_problems(opened)
    noted = (f"{note.place}: {note.sentence}" for note in opened.notes if note.dangerous)
    warnings = (*noted, *dangers(opened.document), *opened.secrets.warnings)
    if problems:
        raise ConfigError(*problems)
    rows = [_row(name, route) for name, route in opened.document.routes.items()]
    parts = [f"{green('good:')} {path} can be served.", table(_HEADS, rows)]
    if warnings:
        told = _once(warnings) if opened.notes else warnings
        parts.append("\n".join(f"{yellow('warning:')} {visible(warning)}" for warning in told))
    routes = [dict(zip(_HEADS, row, strict=True)) for row in rows]
    return Answer("\n\n".join(parts), {"good": True, "problems": [], "warnings": list(warnings), "routes": routes})


def _once(warnings: Iterable[str]) -> Iterator[str]:
    """Each sentence once: what files of another gateway become says much of it again in every route."""
    alike: dict[str, list[str]] = {}
    for warning in warnings:
        alike.setdefault(warning.rpartition(": ")[2], []).append(warning)
    for first, *more in alike.values():
        yield f"{first} (and {len(more)} more alike)" if more else first


def _key_problems(opened: Opened) -> list[str]:
    """What is wrong with keys and certificates in the document and its files; fetched ones are not looked at."""
    problems: list[str] = []
    for source in opened.plan.sources.keys.values():
        if not is_remote(source):
            try:
                read_local(source, opened.secrets.resolve)
            except ConfigError as error:
                problems += error.problems
    try:
        certificate_files(opened.plan.listeners)
    except ConfigError as error:
        problems += error.problems
    return problems + _caller_problems(opened)


def _caller_problems(opened: Opened) -> list[str]:
    """What is wrong with consumers, with the keys of those in the document, and with plug-ins."""
    problems: list[str] = []
    credentials = [(each, source.consumer) for source in opened.plan.sources.consumers for each in source.credentials]
    looked_at: list[Callable[[], object]] = [
        opened.directory,
        lambda: ClaimGenerators(generators_of(opened.plan)),
        *(partial(credential_of, *each, opened.secrets.resolve) for each in credentials),
    ]
    for look in looked_at:
        try:
            look()
        except ConfigError as error:
            problems += error.problems
    return problems


def _row(name: str, route: RouteSection) -> tuple[str, ...]:
    slots = (slot if route.is_required(credential) else f"{slot}?" for slot, credential in route.credentials.items())
    issued = (", ".join(issue.audience or ()) or issue.header for issue in route.issue or ())
    methods = f"{','.join(route.methods)} " if route.methods else ""
    return (
        name,
        methods + (" ".join(_paths(route)) or "any path"),
        route.auth,
        ", ".join(slots) or "-",
        ", ".join(issued) or "-",
        route.upstream or "-",
    )


def _paths(route: RouteSection) -> Iterator[str]:
    yield from route.templates
    if route.match is not None:
        yield from (f"{prefix}…" for prefix in route.match.path_prefix or ())
        yield from (f"~{pattern}" for pattern in route.match.path_pattern or ())


def announce(path: Path) -> str:
    """Where the document will be served, for people who just started it; or its mistakes."""
    try:
        plan = open_document(path).plan
    except ConfigError as error:
        return mistakes(error.problems).text
    lines = []
    for listener in plan.listeners:
        scheme = "https" if listener.tls else "http"
        purpose = " (health and metrics)" if listener.status_only else ""
        port = str(listener.port) if listener.port else "(any free port; the log tells which)"
        lines.append(f"{path.name} on {scheme}://{listener.host}:{port}{purpose}")
    return "\n".join(lines)
