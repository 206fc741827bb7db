import json

import click
import pytest
from click.testing import CliRunner

from jwtgate.cli.answer import Answer, red
from jwtgate.cli.command import Command, colour, json_option, read_argument
from jwtgate.errors import ConfigError, KeyRefused


@click.command(cls=Command, example="try good")
@click.argument("kind")
@json_option
def tried(kind: str) -> Answer | None:
    """Try it."""
    if kind == "mistake":
        raise ConfigError("first", "second")
    if kind == "key":
        raise KeyRefused("key_malformed")
    if kind == "silent":
        return None
    return Answer(red("text"), {"value": 1}, good=kind == "good")


@pytest.mark.parametrize(("kind", "status"), [("good", 0), ("silent", 0), ("no", 1), ("mistake", 2), ("key", 2)])
def test_the_exit_status_tells_how_it_went(kind: str, status: int) -> None:
    assert CliRunner().invoke(tried, [kind]).exit_code == status


def test_text_is_without_colour_where_there_is_no_terminal() -> None:
    assert CliRunner().invoke(tried, ["good"]).stdout == "text\n"


def test_json_is_one_value_on_stdout() -> None:
    assert json.loads(CliRunner().invoke(tried, ["no", "--json"]).stdout) == {"value": 1}


def test_mistakes_go_to_stderr_one_a_line() -> None:
    result = CliRunner().invoke(tried, ["mistake"])
    assert (result.stdout, result.stderr) == ("", "mistake: first\nmistake: second\n")


def test_mistakes_are_json_too_when_asked_for() -> None:
    result = CliRunner().invoke(tried, ["mistake", "--json"])
    assert json.loads(result.stdout) == {"good": False, "problems": ["first", "second"]}


def test_the_help_ends_with_the_example() -> None:
    assert CliRunner().invoke(tried, ["--help"]).stdout.endswith("Examples:\n  try good\n")


def test_no_color_takes_colour_away_even_on_a_terminal() -> None:
    assert colour({"NO_COLOR": "1"}) is False


def test_without_no_color_the_terminal_decides() -> None:
    assert colour({"NO_COLOR": ""}) is None
    assert colour({}) is None


def test_a_dash_reads_stdin() -> None:
    @click.command()
    @click.argument("token")
    def shown(token: str) -> None:
        click.echo(f"<{read_argument(token)}>")

    assert CliRunner().invoke(shown, ["-"], input=" abc\n").stdout == "<abc>\n"
    assert CliRunner().invoke(shown, ["def"]).stdout == "<def>\n"
