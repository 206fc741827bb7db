"""A dialect writes the document from files or from what is kept, and keeps what it makes by itself."""

import gc
import json
import stat
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jwtgate.dialects.author import CALLER_FILES, MASTER_KEY, DialectAuthor, with_certificate
from jwtgate.dialects.dialect import Meaning, Note, Objects, Settings, Translation
from jwtgate.errors import ConfigError
from jwtgate.state.callers.consumer_files import ConsumerFile
from jwtgate.state.keys.keyring import sealer_of
from jwtgate.state.stores.registry import Kind
from jwtgate.state.stores.store import MemoryStore

from .fake_dialect import FakeDialect


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(folder=tmp_path, state_folder=tmp_path / "state", environ={})


def written(author: DialectAuthor) -> Any:
    return json.loads(author.written().data)


def test_without_files_the_document_is_made_of_what_is_kept(settings: Settings) -> None:
    store = MemoryStore()
    author = DialectAuthor(FakeDialect(), (), settings, store)
    assert list(written(author)["routes"]) == ["/none"]
    assert (author.is_declarative, author.current.objects, author.current.version) == (False, {"marks": "made"}, 1)
    again = DialectAuthor(FakeDialect(), (), settings, store)
    again.written()
    assert again.current == author.current


def test_a_file_owns_its_objects_and_only_what_is_made_is_kept(settings: Settings, tmp_path: Path) -> None:
    file, store = tmp_path / "fake.json", MemoryStore()
    file.write_text('{"doors": {"/a": 200}}')
    author = DialectAuthor(FakeDialect(), (file,), settings, store)
    assert list(written(author)["routes"]) == ["/a"]
    assert author.is_declarative
    kept = author._registry.get(Kind.MANUSCRIPT, "fake-made")
    assert kept is not None
    assert kept.value == {"marks": "made"}
    file.write_text('{"doors": {"/other": 200}}')
    assert [author.changed(), author.changed()] == [False, True]
    assert list(written(author)["routes"]) == ["/other"]
    assert author.current.version == 1


def test_garbage_is_looked_for_again_after_a_file_is_read_also_where_it_makes_no_sense(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "fake.json"
    file.write_text('{"doors": {}}')
    author = DialectAuthor(FakeDialect(), (file,), settings, MemoryStore())
    assert gc.isenabled()
    file.write_text("{")
    with pytest.raises((ConfigError, ValueError)):
        author.written()
    assert gc.isenabled()


def test_a_file_is_read_again_only_where_it_says_something_else(settings: Settings, tmp_path: Path) -> None:
    class Counting(FakeDialect):
        reads = 0

        def read(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Objects | None:
            self.reads += 1
            return super().read(texts, settings)

    file, dialect = tmp_path / "fake.json", Counting()
    file.write_text('{"doors": {"/a": 200}}')
    author = DialectAuthor(dialect, (file,), settings, MemoryStore())
    assert [list(written(author)["routes"]), list(written(author)["routes"])] == [["/a"], ["/a"]]
    assert dialect.reads == 1
    file.write_text('{"doors": {"/b": 200}}')
    assert list(written(author)["routes"]) == ["/b"]
    assert dialect.reads == 2


def test_a_file_that_a_file_names_is_looked_at_too(settings: Settings, tmp_path: Path) -> None:
    key, file = settings.folder / "key", tmp_path / "fake.json"
    key.write_text("1")
    file.write_text('{"doors": {"/a": 200}, "keys": ["key"]}')
    author = DialectAuthor(FakeDialect(), (file,), settings, MemoryStore())
    written(author)
    assert [author.changed(), author.changed()] == [False, False]
    key.write_text("22")
    assert [author.changed(), author.changed(), author.changed()] == [False, True, False]
    later = settings.folder / "later"
    later.write_text("1")
    file.write_text('{"doors": {"/a": 200}, "keys": ["later"]}')
    written(author)
    later.write_text("22")
    assert [author.changed(), author.changed()] == [False, True]


def test_of_a_folder_the_files_of_the_dialect_are_read_those_that_come_later_too(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "b.json").write_text('{"doors": {"/b": 200}}')
    (folder / "notes.txt").write_text("{")
    author = DialectAuthor(FakeDialect(), (folder,), settings, MemoryStore())
    assert list(written(author)["routes"]) == ["/b"]
    (folder / "c.json").write_text('{"doors": {"/c": 200}}')
    assert [author.changed(), author.changed()] == [False, True]
    assert list(written(author)["routes"]) == ["/c"]


def test_a_folder_without_a_file_of_the_dialect_is_a_mistake(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    with pytest.raises(ConfigError, match=r"given: holds no file that ends with \.json\."):
        DialectAuthor(FakeDialect(), (tmp_path / "given",), settings, MemoryStore())


def test_a_file_that_cannot_be_read_is_a_mistake(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "fake.json").write_text("{")
    with pytest.raises(ConfigError, match=r"fake\.json: is no JSON"):
        DialectAuthor(FakeDialect(), (tmp_path / "fake.json",), settings, MemoryStore())


def test_a_setting_that_is_refused_stops_the_document(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "fake.json").write_text('{"doors": {"/a": 200}, "walls": ["/b"]}')
    with pytest.raises(ConfigError, match="/b: leads nowhere"):
        DialectAuthor(FakeDialect(), (tmp_path / "fake.json",), settings, MemoryStore()).written()


def test_callers_of_a_file_go_into_a_file_of_ours_that_keeps_its_name(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "fake.json"
    file.write_text('{"people": ["ann", "bob"]}')
    author = DialectAuthor(FakeDialect(), (file,), settings, MemoryStore())
    (first,) = written(author)["consumer_files"]
    assert [json.loads(line)["name"] for line in Path(first).read_text().splitlines()] == ["ann", "bob"]
    assert stat.S_IMODE(Path(first).stat().st_mode) == 0o600
    inode = Path(first).stat().st_ino
    assert (written(author)["consumer_files"], Path(first).stat().st_ino) == ([first], inode)
    for number in range(CALLER_FILES + 2):
        file.write_text(json.dumps({"people": [f"carl-{number}"]}))
        last = written(author)["consumer_files"][0]
    left = set(Path(first).parent.iterdir())
    assert (len(left), Path(last) in left, Path(first) in left) == (CALLER_FILES + 1, True, False)


def test_sec_150_callers_are_sealed_where_there_is_a_master_key(settings: Settings, tmp_path: Path) -> None:
    file, sealing = tmp_path / "fake.json", replace(settings, environ={MASTER_KEY: "m" * 40})
    file.write_text('{"people": ["ann", "bob"]}')
    author = DialectAuthor(FakeDialect(), (file,), sealing, MemoryStore())
    (made,) = written(author)["consumer_files"]
    assert b"ann" not in Path(made).read_bytes()
    assert written(author)["consumer_files"] == [made]
    with closing(ConsumerFile(Path(made), sealer_of("m" * 40))) as opened:
        assert [placed.source for placed in opened.consumers(_named)] == ["ann", "bob"]


def _named(members: Any) -> Any:
    return members["name"]


def test_a_document_without_callers_does_not_claim_that_there_are_none(settings: Settings) -> None:
    (file,) = written(DialectAuthor(FakeDialect(), (), settings, MemoryStore()))["consumer_files"]
    assert Path(file).read_bytes() == b""


def test_sec_150_what_is_kept_is_sealed_where_there_is_a_master_key(settings: Settings) -> None:
    store, sealing = MemoryStore(), replace(settings, environ={MASTER_KEY: "m" * 40})
    author = DialectAuthor(FakeDialect(), (), sealing, store)
    assert written(author)["signing"] == {"issuer": "jwtgate", "master_key": "${env:JWTGATE_MASTER_KEY}"}
    assert b"marks" not in b"".join(record.value for _, record in store.records("", after=""))
    with pytest.raises(ConfigError):
        DialectAuthor(FakeDialect(), (), settings, store).written()


def test_a_certificate_is_made_once_where_tls_is_wanted_and_none_is_given(settings: Settings) -> None:
    assert with_certificate(settings) is settings
    settings.state_folder.mkdir()
    made = with_certificate(replace(settings, tls_listen=("127.0.0.1:8443",)))
    assert made.certificate is not None
    assert made.private_key is not None
    assert Path(made.certificate).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert stat.S_IMODE(Path(made.private_key).stat().st_mode) == 0o600
    first = Path(made.certificate).read_bytes()
    assert Path(str(with_certificate(made).certificate)).read_bytes() == first
    assert {path.name for path in settings.state_folder.iterdir()} >= {"certificate.pem", "certificate.key"}
    assert not (settings.state_folder / "certificate.new").exists()
    given = replace(settings, tls_listen=("127.0.0.1:8443",), certificate="mine.pem")
    assert with_certificate(given) is given


def test_what_means_something_else_is_told_once(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    class Changing(FakeDialect):
        def translate(self, objects: Objects, settings: Settings) -> Translation:
            notes = (Note("a", Meaning.CHANGED, "Other."), Note("b", Meaning.EXACT))
            return replace(super().translate(objects, settings), notes=notes)

    author = DialectAuthor(Changing(), (), settings, MemoryStore())
    for _ in range(2):
        author.written()
    assert caplog.messages == ["a: Other."]


def test_rel_7_what_an_earlier_process_wrote_of_callers_stays_as_long_as_a_copy_may_need_it(
    settings: Settings, tmp_path: Path
) -> None:
    file, store, named = tmp_path / "fake.json", MemoryStore(), []
    for number in range(3):
        file.write_text(json.dumps({"people": [f"p{number}"]}))
        author = DialectAuthor(FakeDialect(), (file,), settings, store)
        (name,) = written(author)["consumer_files"]
        named.append(Path(name))
        assert author.keeps_copies
    assert all(path.exists() for path in named)
    assert not DialectAuthor(FakeDialect(), (), settings, store).keeps_copies


def test_rel_68_callers_that_cannot_be_written_down_are_a_sentence(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(ConfigError, match="cannot be written down"):
        DialectAuthor(FakeDialect(), (), settings, MemoryStore()).written()
