"""What became of every setting is told, and the document is written whole."""

from pathlib import Path

import pytest

from jwtgate.cli.translating import dialect_of, dialect_told_by, report, stop_at_another, take_over, translate
from jwtgate.config.load import load_plain
from jwtgate.config.source import yaml_text
from jwtgate.dialects.dialect import Meaning, Note
from jwtgate.errors import ConfigError

NOTES = (
    Note("routes/1/uri", Meaning.EXACT),
    Note("routes/1/key", Meaning.EXACT, "anybody may mint", dangerous=True),
    Note("routes/1/script", Meaning.REFUSED, "code is not configuration"),
)


def test_a_report_tells_what_needs_a_look_and_counts_the_rest() -> None:
    lines = report(NOTES, is_whole=False).splitlines()
    assert [line.partition("  ")[2].strip() for line in lines[:2]][1].endswith("code is not configuration")
    assert len(lines) == 3
    assert lines[-1] == "3 settings: 2 exact, 0 changed, 1 refused; 1 dangerous."


def test_a_whole_report_has_a_line_for_every_setting() -> None:
    assert len(report(NOTES, is_whole=True).splitlines()) == len(NOTES) + 1


def test_text_from_outside_cannot_move_the_cursor() -> None:
    assert "\x1b[2J" not in report((Note("a\x1b[2J", Meaning.CHANGED),), is_whole=True)


def test_every_dialect_that_is_offered_is_there() -> None:
    offered = ["apisix", "couper", "kong", "wso2"]
    assert [dialect_of(name).name for name in offered] == offered


def test_files_of_couper_are_known_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.hcl").touch()
    assert dialect_told_by([tmp_path / "couper.hcl", tmp_path]) == "couper"
    assert [dialect_told_by(paths) for paths in ([], [Path("gate.yaml")], [Path("x.hcl"), Path("y.yaml")])] == [
        None
    ] * 3


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("couper.conf", 'server "x" {\n}\n', "is a file of Couper; say couper instead of kong"),
        ("api-manager.xml", "<APIManager>\n", "is a file of WSO2 API Manager; say wso2 instead of kong"),
        ("deployment.toml", "[apim.jwt]\nenable = true\n", "is a file of WSO2 API Manager; say wso2"),
    ],
)
def test_a_file_of_another_gateway_is_told_from_its_words(tmp_path: Path, name: str, text: str, advice: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError, match=advice):
        stop_at_another("kong", [path])


def test_of_several_environments_the_one_is_taken_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "couper.hcl"
    path.write_text(
        'server {\n endpoint "/a" {\n  environment "prod" {\n   response { status = 204 }\n  }\n'
        '  environment "test" {\n   response { status = 418 }\n  }\n }\n}\n'
    )
    document = take_over("couper", [path], environment="test").document
    assert document["routes"]["/a"]["respond"]["status"] == 418


def test_what_is_written_as_yaml_is_read_as_the_same() -> None:
    same = {"b": "no", "a": ["1_000", "2020-01-01", 1, 1.5, True, None, "null", "~", "0x1f", "a: b", "#x", "é\n\n"]}
    same["again"] = same["a"]
    assert load_plain(yaml_text(same).encode(), name="x.yaml") == same


ROUTE = "routes: [{id: 1, uri: /a, upstream: {nodes: {'127.0.0.1:1': 1}}%s}]\n#END\n"


@pytest.mark.parametrize(("more", "good"), [("", True), (", script: 'return true or not'", False)])
def test_a_document_that_lacks_something_is_no_yes(tmp_path: Path, *, more: str, good: bool) -> None:
    document = tmp_path / "apisix.yaml"
    document.write_text(ROUTE % more)
    assert translate("apisix", [document], is_whole=False, output=None).good is good


def test_nobody_else_can_read_what_is_written(tmp_path: Path) -> None:
    document, output = tmp_path / "apisix.yaml", tmp_path / "gate.yaml"
    document.write_text(ROUTE % "")
    output.touch(mode=0o644)
    translate("apisix", [document], is_whole=False, output=output)
    assert output.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    document = tmp_path / "apisix.yaml"
    document.write_text(ROUTE % "")
    with pytest.raises(ConfigError, match=r"gate\.yaml: No such file"):
        translate("apisix", [document], is_whole=False, output=tmp_path / "none" / "gate.yaml")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("kong", ROUTE % "", "is a file of Apache APISIX; say apisix instead of kong"),
        ("apisix", '_format_version: "3.0"\n', "is a file of Kong; say kong instead of apisix"),
    ],
)
def test_a_file_of_another_gateway_is_told_from_a_broken_one(tmp_path: Path, name: str, text: str, said: str) -> None:
    document = tmp_path / "file.yaml"
    document.write_text(text)
    with pytest.raises(ConfigError, match=said):
        translate(name, [document], is_whole=False, output=None)
