from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jwtgate.errors import ConfigError
from jwtgate.jose.sealing import Sealer
from jwtgate.state.callers.consumer_files import MOST_LINE_BYTES, MOST_PROBLEMS, ConsumerFile, sealed_line
from jwtgate.state.callers.consumer_index import Placed

from .people import parse, source


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "people.jsonl"
    path.touch(mode=0o600)
    return path


def read(path: Path) -> list[Placed]:
    with closing(ConsumerFile(path)) as file:
        return list(file.consumers(parse))


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        read(path)
    return refused.value.problems


def test_each_line_is_a_consumer_and_empty_ones_are_none(file: Path) -> None:
    file.write_text('{"name": "ann", "keys": ["k1"]}\n\n  \n{"name": "bob"}')
    assert read(file) == [(source("ann", "k1"), f"{file}, line 1"), (source("bob"), f"{file}, line 4")]


def test_a_file_may_be_empty(file: Path) -> None:
    assert read(file) == []


def test_a_file_is_read_as_often_as_is_asked(file: Path) -> None:
    file.write_text('{"name": "ann"}\n')
    with closing(ConsumerFile(file)) as opened:
        assert list(opened.consumers(parse)) == list(opened.consumers(parse))


def test_every_mistake_is_named_with_its_line(file: Path) -> None:
    file.write_text('{"name": "ann", "x": 1, "y": 2}\n{"name"\n{"name": "bob"}\n[]\n{"name": "a", "name": "b"}\n')
    assert problems(file) == (
        f"{file}, line 1: x is unknown.",
        f"{file}, line 1: y is unknown.",
        f"{file}, line 2: not JSON.",
        f"{file}, line 4: not a JSON object.",
        f"{file}, line 5: a name is repeated.",
    )


def test_mistakes_are_not_named_without_end(file: Path) -> None:
    file.write_text("{\n" * 1_000)
    assert len(problems(file)) == MOST_PROBLEMS


def test_a_line_that_is_too_long_is_one_mistake(file: Path) -> None:
    file.write_text(json.dumps({"name": "n" * 3 * MOST_LINE_BYTES}) + '\n{"name": "ann", "x": 1}\n')
    assert problems(file) == (f"{file}, line 1: longer than is allowed.", f"{file}, line 2: x is unknown.")


def test_a_mistake_never_quotes_the_line(file: Path) -> None:
    file.write_text('{"name": "ann", "secret": "hush"\n\xff"hush"\n', encoding="latin-1")
    assert "hush" not in "".join(problems(file))


def test_the_digest_is_that_of_what_the_file_holds(file: Path, tmp_path: Path) -> None:
    digests = []
    for text in ('{"name": "ann"}\n', '{"name": "bob"}\n', '{"name": "ann"}\n'):
        file.write_text(text)
        with closing(ConsumerFile(file)) as opened:
            digests.append(opened.digest)
    assert digests[0] == digests[2] != digests[1]


def test_a_file_that_changes_while_it_is_read_is_refused(file: Path) -> None:
    file.write_text('{"name": "ann"}\n')
    with closing(ConsumerFile(file)) as opened:
        file.write_text('{"name": "ann"}\n{"name": "eve"}\n')
        with pytest.raises(ConfigError, match="changed while it was read"):
            list(opened.consumers(parse))


@pytest.mark.parametrize("name", ["nothing", "folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="cannot be read"):
        ConsumerFile(tmp_path / name)


def test_sec_149_a_file_that_everybody_may_read_is_warned_of(file: Path) -> None:
    for mode, warned in ((0o644, 1), (0o640, 0)):
        file.chmod(mode)
        with closing(ConsumerFile(file)) as opened:
            assert len(opened.warnings) == warned


def test_sec_150_a_sealed_line_is_read_with_its_master_key_and_with_no_other(tmp_path: Path) -> None:
    path = tmp_path / "consumers.jsonl"
    path.write_bytes(sealed_line(b'{"name": "ann"}', Sealer(b"m" * 32)) + b'{"name": "bob"}\n')

    def names(sealer: Sealer | None) -> list[object]:
        with closing(ConsumerFile(path, sealer)) as file:
            return [placed.source for placed in file.consumers(lambda members: members["name"])]  # type: ignore

    assert names(Sealer(b"m" * 32)) == ["ann", "bob"]
    with pytest.raises(ConfigError, match=r"line 1: sealed with another secret"):
        names(Sealer(b"o" * 32))
    with pytest.raises(ConfigError, match=r"line 1: sealed, and there is no master key"):
        names(None)
