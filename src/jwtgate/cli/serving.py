"""Running a gateway: from a document of ours, or from those of another gateway."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from jwtgate.cli.answer import mistakes
from jwtgate.cli.checking import announce
from jwtgate.cli.command import colour
from jwtgate.cli.companion import AdminApi, DialectApi
from jwtgate.cli.translating import dialect_of, served, stop_at_another
from jwtgate.control.authors import FileAuthor
from jwtgate.control.documents import LastGood
from jwtgate.control.supervisor import run
from jwtgate.dialects.author import MASTER_KEY, DialectAuthor, folder_of
from jwtgate.dialects.dialect import AdministeredDialect, Dialect, Settings
from jwtgate.errors import ConfigError
from jwtgate.state.keys.keyring import sealer_of
from jwtgate.state.stores.store import Store


def serve_document(path: Path, *, workers: int, state_folder: Path, last_good: bool) -> int:
    """Serve this document until told to stop; the exit status."""
    _say(announce(path), state_folder)
    return run(
        lambda _: FileAuthor(path),
        folder=path.parent,
        workers=workers,
        state_folder=state_folder,
        last_good=last_good,
        companion=AdminApi,
    )


def serve_dialect(
    name: str,
    files: Sequence[Path],
    how: Mapping[str, Any],
    *,
    workers: int,
    state_folder: Path,
    last_good: bool = True,
) -> int:
    """Serve what these files of another gateway describe, or what its Admin API was told; the exit status.

    `how` are the addresses, files and names of `Settings`, by its names.
    """
    settings = _settings(files, how, state_folder=state_folder)
    dialect = _dialect(name, files)
    api = DialectApi() if isinstance(dialect, AdministeredDialect) else None
    told: set[tuple[str, ...]] = set()

    def author(store: Store) -> DialectAuthor:
        if api is not None:
            api.needs()
        stop_at_another(name, files)
        with _telling_once(told):  # it may be tried again and again
            author = DialectAuthor(dialect, files, settings, store)
        _say(served(author), state_folder)
        if api is not None:
            api.author = author
            _say_whether_sealed()
        return author

    return run(
        author,
        folder=settings.folder,
        workers=workers,
        state_folder=state_folder,
        last_good=last_good,
        copies=_copies(name, state_folder),
        companion=api,
    )


def _dialect(name: str, files: Sequence[Path]) -> Dialect:
    dialect = dialect_of(name)
    if not files and not isinstance(dialect, AdministeredDialect):
        raise click.UsageError(f"--dialect {name} needs a file, or a folder of them: it has no Admin API.")
    return dialect


def _settings(files: Sequence[Path], how: Mapping[str, Any], *, state_folder: Path) -> Settings:
    folder = folder_of(files) if files else state_folder.resolve()
    given: dict[str, Any] = {
        key: str(value.resolve()) if isinstance(value, Path) else value for key, value in how.items()
    }
    return Settings(folder=folder, state_folder=state_folder.resolve(), environ=os.environ, **given)


def _copies(name: str, state_folder: Path) -> LastGood:
    """The copies of what the files of a dialect became, sealed where they can be: secrets stand in there."""
    master_key = os.environ.get(MASTER_KEY)
    return LastGood(state_folder, name, sealer=None if master_key is None else sealer_of(master_key))


@contextmanager
def _telling_once(told: set[tuple[str, ...]]) -> Iterator[None]:
    """Say the mistakes that come up, unless they were said before."""
    try:
        yield
    except ConfigError as error:
        if error.problems not in told:
            click.echo(mistakes(error.problems).text, err=True, color=colour())
        told.add(error.problems)
        raise


def _say(where: str, state_folder: Path) -> None:
    click.echo(where, err=True, color=colour())
    click.echo(f"state in {state_folder}; stop with Ctrl-C", err=True)


def _say_whether_sealed() -> None:
    if not os.environ.get(MASTER_KEY):
        click.echo(f"nothing in there is sealed: set {MASTER_KEY} to a secret of 32 bytes or more", err=True)
