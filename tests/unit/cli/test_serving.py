"""What cannot be served is said before anything is opened; what is served says where."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from jwtgate.cli.main import main
from jwtgate.cli.serving import serve_dialect
from jwtgate.cli.translating import served
from jwtgate.control.supervisor import REFUSED
from jwtgate.dialects.author import DialectAuthor
from jwtgate.dialects.dialect import Settings
from jwtgate.state.stores.store import MemoryStore

from ..dialects.fake_dialect import FakeDialect


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Exactly one document is needed"),
        (["a.yaml", "b.yaml"], "Exactly one document is needed"),
        (["a.yaml", "--listen", "127.0.0.1:1"], "need a --dialect"),
        (["a.hcl", "b.yaml"], "Exactly one document is needed"),
        (["--dialect", "couper"], "--dialect couper needs a file, or a folder of them: it has no Admin API."),
        (["--dialect", "wso2"], "--dialect wso2 needs a file"),
        (["--dialect", "nginx"], "'nginx' is not one of"),
        (["--dialect", "kong", "--listen", "8000"], "must be written host:port"),
        (["--dialect", "kong", "--certificate", "c.pem"], "--certificate and --private-key belong together"),
    ],
)
def test_what_does_not_go_together_is_a_mistake_of_the_command(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["serve", *arguments])
    assert result.exit_code == 2
    assert said in result.output


def test_a_file_of_a_dialect_that_is_not_there_is_a_mistake(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], isolated_logging: None
) -> None:
    status = serve_dialect("kong", [tmp_path / "kong.yml"], {}, workers=1, state_folder=tmp_path / "state")
    assert status == REFUSED
    assert "No such file" in capfd.readouterr().err


def test_mistakes_in_a_file_of_a_dialect_are_told_a_line_each(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], isolated_logging: None
) -> None:
    (tmp_path / "couper.hcl").write_text('server {}\ndefinitions {\n jwt "J" { jwk_url = "x" }\n}\n')
    status = serve_dialect("couper", [tmp_path / "couper.hcl"], {}, workers=1, state_folder=tmp_path / "state")
    assert status == REFUSED
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("mistake: couper.hcl:3,")]
    assert len(told) == 3
    assert told[-1].endswith('Did you mean "jwks_url"?')


def test_whoever_started_a_dialect_is_told_where_it_answers(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, {}, listen=("127.0.0.1:1",), admin_listen=("127.0.0.1:2",))
    said = served(DialectAuthor(FakeDialect(), (), settings, MemoryStore()))
    assert said.splitlines() == ["proxy on http://127.0.0.1:1", "Admin API of Fake on http://127.0.0.1:2"]
