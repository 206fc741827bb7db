"""Reading a document for people: all its mistakes, what is dangerous in it, and the routes it describes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from jwtgate.cli.answer import Answer, green, mistakes, table, visible, yellow
from jwtgate.config.compile.document import compile_document
from jwtgate.config.dangers import dangers
from jwtgate.config.load import load_document
from jwtgate.config.sections.document import Document
from jwtgate.config.sections.routes import RouteSection
from jwtgate.control.documents import read_document
from jwtgate.errors import ConfigError
from jwtgate.policy.plan import Plan
from jwtgate.state.keys.key_sources import is_remote, read_local
from jwtgate.state.secrets.references import Secrets

_HEADS = ("route", "path", "auth", "slots", "issues for", "upstream")


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that was read, what it means, and where its secrets come from."""

    document: Document
    plan: Plan
    secrets: Secrets


def open_document(path: Path) -> Opened:
    """The document in this file. `ConfigError` with all its mistakes."""
    text = read_document(path)
    secrets = Secrets(path.parent, os.environ)
    document = load_document(text.data, name=text.name, folder=path.parent, resolve=secrets.resolve)
    return Opened(document, compile_document(document), secrets)


def check(path: Path) -> Answer:
    """Whether this document can be served: its mistakes, else its routes and what is dangerous in it."""
    opened = open_document(path)
    problems = _key_problems(opened)
    warnings = (*dangers(opened.document), *opened.secrets.warnings)
    if problems:
        raise ConfigError(*problems)
    rows = [_row(name, route) for name, route in opened.document.routes.items()]
    parts = [f"{green('good:')} {path} can be served.", table(_HEADS, rows)]
    if warnings:
        parts.append("\n".join(f"{yellow('warning:')} {visible(warning)}" for warning in warnings))
    routes = [dict(zip(_HEADS, row, strict=True)) for row in rows]
    return Answer("\n\n".join(parts), {"good": True, "problems": [], "warnings": list(warnings), "routes": routes})


def _key_problems(opened: Opened) -> list[str]:
    """What is wrong with keys that stand in the document or in files; fetched ones are not looked at."""
    problems: list[str] = []
    for source in opened.plan.sources.keys.values():
        if not is_remote(source):
            try:
                read_local(source, opened.secrets.resolve)
            except ConfigError as error:
                problems += error.problems
    return problems


def _row(name: str, route: RouteSection) -> tuple[str, ...]:
    slots = (slot if route.is_required(credential) else f"{slot}?" for slot, credential in route.credentials.items())
    issued = (", ".join(issue.audience or ()) or issue.header for issue in route.issue or ())
    methods = f"{','.join(route.methods)} " if route.methods else ""
    return (
        name,
        methods + " ".join(route.templates),
        route.auth,
        ", ".join(slots) or "-",
        ", ".join(issued) or "-",
        route.upstream or "-",
    )


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
