"""A dialect as the author of a node's document: from its users' files, or from what they told its Admin API."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from jwtgate.control.collecting import without_collecting
from jwtgate.control.documents import Text, Watched, read_document
from jwtgate.dialects.certificate import self_signed
from jwtgate.dialects.dialect import Caller, Dialect, Kept, Meaning, Note, Objects, Settings
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import json_bytes
from jwtgate.state.callers.consumer_files import sealed_line
from jwtgate.state.file_marks import Mark, mark_of
from jwtgate.state.keys.keyring import sealer_of
from jwtgate.state.saved import sync_folder
from jwtgate.state.stores.registry import Kind, Registry
from jwtgate.state.stores.store import Store, StoreFailed

MASTER_KEY = "JWTGATE_MASTER_KEY"
"""The environment variable with the secret that seals what is kept; without it nothing is sealed."""
CALLERS = "callers"
MOST_TOLD = 20
_LOGGER = logging.getLogger(__name__)
CALLER_FILES = 8
CERTIFICATE_DAYS = 3650


class DialectAuthor:
    """Writes a node's document from the objects of a dialect.

    `is_declarative`: they come from files, which own them; only what the dialect makes by itself is kept then.
    `current` are the objects written last, `notes` what became of them. `keeps_copies` where files can be gone.
    """

    def __init__(self, dialect: Dialect, files: Sequence[Path], settings: Settings, store: Store) -> None:
        """`ConfigError` for files that cannot be read."""
        self.dialect = dialect
        self._paths = files
        texts = self._texts()
        self.settings = with_certificate(dialect.settings(texts, settings))
        self._read = texts, dialect.read(texts, self.settings)
        self._named = self._named_now()
        self.is_declarative = self.keeps_copies = self._read[1] is not None
        self.manuscript = f"{dialect.name}-made" if self.is_declarative else dialect.name
        self.current = Kept({})
        self.notes: tuple[Note, ...] = ()
        self._caller_files = sorted((settings.state_folder / CALLERS).glob("*.jsonl"), key=_written)
        self._watched = self._watching()
        master_key = settings.environ.get(MASTER_KEY)
        self._sealer = None if master_key is None else sealer_of(master_key)
        self._registry = Registry(store, wall=time.time, sealer=self._sealer)

    def changed(self) -> bool:
        """Whether one of the files has changed, and has stopped changing since the last call."""
        return any(tuple(watched.changed() for watched in self._watched))

    def written(self) -> Text:
        """The document the objects become, as the files or the store have them now."""
        self._watched = self._watching()
        try:
            kept = self._registry.get(Kind.MANUSCRIPT, self.manuscript)
        except StoreFailed as failure:
            raise ConfigError(f"The store failed: {failure}.") from failure
        held = Kept(dict(kept.value), kept.version) if kept is not None else Kept({})
        given = self._given()
        completed = self.dialect.complete(held.objects if given is None else {**given, **held.objects})
        text = self.text_of(completed)
        self.current = Kept(completed, self._kept(completed, held))
        return text

    def _watching(self) -> tuple[Watched, ...]:
        """The files, those they name, and the folders whose files are meant, as they are now."""
        return tuple(map(Watched, {*self._paths, *files_in(self._paths, self.dialect.endings), *self._named}))

    def _texts(self) -> list[tuple[str, bytes]]:
        return texts_of(files_in(self._paths, self.dialect.endings))

    def _given(self) -> Objects | None:
        """What the files hold, understood again only where they, or those they name, say something else."""
        texts = self._texts()
        named = {path: mark_of(path) for path in self._named}
        if texts != self._read[0] or named != self._named:
            with without_collecting():
                self._read = texts, self.dialect.read(texts, self.settings)
            self._named = self._named_now()
            self._watched = (*self._watched, *(Watched(path) for path in self._named if path not in named))
        return self._read[1]

    def _named_now(self) -> dict[Path, Mark | None]:
        """The files that are named in those that were read, as they are now."""
        objects = self._read[1]
        return {path: mark_of(path) for path in self.dialect.files_named(objects, self.settings)} if objects else {}

    def _kept(self, objects: Objects, held: Kept) -> int:
        """The version of what is kept of these objects, written if it differs from what was held."""
        value = self.to_keep(objects)
        if value == held.objects:
            return held.version
        try:
            kept = self._registry.put(Kind.MANUSCRIPT, self.manuscript, value, over=held.version, who="gateway")
        except StoreFailed as failure:
            raise ConfigError(f"The store failed: {failure}.") from failure
        return kept.version

    def to_keep(self, objects: Objects) -> Objects:
        """What is kept of these objects."""
        if not self.is_declarative:
            return objects
        return {name: objects[name] for name in self.dialect.made if name in objects}

    def text_of(self, objects: Objects) -> Text:
        """The document these objects become. `ConfigError`, also for a setting that is refused."""
        translation = self.dialect.translate(objects, self.settings)
        _stop_at_refused(translation.notes)
        document = dict(translation.document)
        document["consumer_files"] = [self._caller_file(self.dialect.callers(objects, self.settings))]
        if MASTER_KEY in self.settings.environ:
            signing = document.get("signing", {"issuer": "jwtgate"})
            document["signing"] = {**signing, "master_key": f"${{env:{MASTER_KEY}}}"}
        _tell(note for note in translation.notes if note not in self.notes)
        self.notes = translation.notes
        return Text(f"{self.dialect.name}.json", json_bytes(document))

    def _caller_file(self, callers: Iterator[Caller]) -> str:
        """A file with these callers, one a line, sealed where there is a master key. Its name tells its content.

        There is one also where it holds nobody: the document then does not claim to name every caller there is.
        """
        try:
            return str(self._caller_file_in(self.settings.state_folder / CALLERS, callers))
        except OSError as trouble:
            raise ConfigError(f"The callers cannot be written down: {trouble.strerror}.") from trouble

    def _caller_file_in(self, folder: Path, callers: Iterator[Caller]) -> Path:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = folder / "new"
        digest = hashlib.sha256()
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for caller in callers:
                _stop_at_refused(caller.notes)
                line = json_bytes({"name": caller.name, **caller.value}) + b"\n"
                digest.update(line)
                file.write(line if self._sealer is None else sealed_line(line, self._sealer))
            file.flush()
            os.fsync(file.fileno())
        name = digest.hexdigest()
        path = folder / f"{name if self._sealer is None else self._sealer.blind(name)}.jsonl"
        # The same content stays the same file, so that nobody takes it for a changed one.
        if path.exists():
            written.unlink()
        else:
            written.replace(path)
            sync_folder(folder)
        self._clear(path)
        return path

    def _clear(self, newest: Path) -> None:
        """Remove what was written before, save the last few: the generation that runs is made from one of them."""
        self._caller_files = [*[path for path in self._caller_files if path != newest][-CALLER_FILES:], newest]
        for path in newest.parent.glob("*.jsonl"):
            if path not in self._caller_files:
                path.unlink(missing_ok=True)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def _tell(notes: Iterable[Note]) -> None:
    """Say in the log what means something else here; the report of an import says all of it."""
    for note in islice((note for note in notes if note.meaning is Meaning.CHANGED), MOST_TOLD):
        _LOGGER.warning("%s: %s", note.place, note.sentence)


def _stop_at_refused(notes: Iterable[Note]) -> None:
    """A document that says what cannot be done is not served as if it did not say so."""
    refused = [f"{note.place}: {note.sentence}" for note in notes if note.meaning is Meaning.REFUSED]
    if refused:
        raise ConfigError(*refused)


def files_in(paths: Sequence[Path], endings: Sequence[str]) -> list[Path]:
    """These files; of a folder those with one of these endings, in the order of their names. `ConfigError`."""
    found: list[Path] = []
    for path in paths:
        held = [path]
        if path.is_dir():
            held = sorted(each for each in path.iterdir() if each.name.endswith(tuple(endings)) and each.is_file())
            if not held:
                raise ConfigError(f"{path}: holds no file that ends with {' or '.join(endings)}.")
        found += held
    return found


def folder_of(paths: Sequence[Path]) -> Path:
    """The folder from which these files are named: the first, or that of the first."""
    return (paths[0] if paths[0].is_dir() else paths[0].parent).resolve()


def texts_of(files: Sequence[Path]) -> list[tuple[str, bytes]]:
    """The contents of these files, each with its path from the folder of the first. `ConfigError`."""
    if not files:
        return []
    folder = folder_of(files)
    return [(os.path.relpath(path.parent.resolve() / path.name, folder), read_document(path).data) for path in files]


def with_certificate(settings: Settings) -> Settings:
    """The settings with a certificate where one is needed and none was given: made once, vouched for by nobody."""
    if settings.certificate is not None or not (settings.tls_listen or settings.admin_tls_listen):
        return settings
    certificate = settings.state_folder / "certificate.pem"
    private_key = settings.state_folder / "certificate.key"
    if not (certificate.exists() and private_key.exists()):
        made = self_signed(("localhost",), now=datetime.now(UTC), days=CERTIFICATE_DAYS)
        for path, data in zip((certificate, private_key), made, strict=True):
            written = path.with_suffix(".new")
            written.touch(mode=0o600)
            written.write_bytes(data)
            written.replace(path)  # a sudden end leaves no half of one
    return replace(settings, certificate=str(certificate), private_key=str(private_key))
