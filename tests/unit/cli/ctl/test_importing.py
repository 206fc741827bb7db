"""Many resources from one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.admin.node import STORE_GONE
from tests.unit.cli.ctl.conftest import Ctl, Served

from jwtgate.cli.ctl.client import AdminClient, Refused
from jwtgate.cli.ctl.importing import MOST_PROBLEMS, import_lines
from jwtgate.errors import ConfigError


@pytest.fixture
def client(served: Served) -> Iterator[AdminClient]:
    with AdminClient(served.access) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "consumers.jsonl"


def test_lines_with_mistakes_are_named_and_the_others_written(client: AdminClient, served: Served, file: Path) -> None:
    file.write_text('{"name": "a"}\n\n{"name": "b", "wrong": 1}\nnothing\n{"x": 1}\n{"name": ""}\n{"name": "c"}\n')
    with pytest.raises(ConfigError) as mistakes:
        import_lines(client, "consumers", file, tell=lambda _: None)
    assert sorted(name for _, name in served.node.resources) == ["a", "c"]
    assert [problem.removeprefix(str(file)) for problem in mistakes.value.problems] == [
        ":3: request: wrong: is no key of this section",
        ":3: request: other: is missing",
        ":4: is not JSON",
        ":5: name is missing",
        ":6: name is missing",
        "2 written; nothing was changed by lines with mistakes",
    ]


def test_not_more_mistakes_are_told_than_anybody_reads(client: AdminClient, file: Path) -> None:
    file.write_text("nothing\n" * (MOST_PROBLEMS + 5))
    with pytest.raises(ConfigError) as mistakes:
        import_lines(client, "consumers", file, tell=lambda _: None)
    assert len(mistakes.value.problems) == MOST_PROBLEMS + 2
    assert mistakes.value.problems[-2] == "and 5 more"


def test_what_would_fail_for_every_line_ends_it(client: AdminClient, served: Served, file: Path) -> None:
    file.write_text('{"name": "a"}\n{"name": "b"}\n')
    served.node.fault = STORE_GONE
    with pytest.raises(Refused) as refused:
        import_lines(client, "consumers", file, tell=lambda _: None)
    assert refused.value.status == 503


def test_how_far_it_got_is_told_now_and_then(client: AdminClient, file: Path) -> None:
    file.write_text('{"name": "a"}\n{"name": "b"}\n{"name": "c"}\n')
    told: list[str] = []
    moments = iter([0.0, 0.5, 1.0, 1.0, 1.5])
    import_lines(client, "consumers", file, tell=told.append, clock=lambda: next(moments))
    assert told == ["line 2: 2 written, 0 mistakes"]


def test_a_file_that_is_not_there_is_a_mistake(client: AdminClient, file: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        import_lines(client, "consumers", file, tell=lambda _: None)


def test_an_admin_api_out_of_reach_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "consumers.jsonl"
    file.write_text('{"name": "a"}\n{"name": "b"}\n')
    result = Ctl("http://127.0.0.1:1").run("import", "consumers", str(file))
    assert (result.exit_code, result.stderr.count("cannot be reached")) == (2, 1)
