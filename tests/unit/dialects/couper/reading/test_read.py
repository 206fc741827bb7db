from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SECRET, SERVER, configuration, problems

from jwtgate.dialects.couper.reading.configuration import Secret


def test_a_configuration_needs_a_server() -> None:
    assert problems("") == ("configuration error: missing 'server' block",)
    assert problems("definitions {}") == ("configuration error: missing 'server' block",)


def test_no_file_can_be_read_while_one_is_no_hcl_and_all_of_these_are_told() -> None:
    assert problems("server {", "b [", "unknown {}") == (
        "1.hcl:1,3-4: Invalid expression or block; Unexpected [.",
        "couper.hcl:1,9-10: The file ends too early; The { in line 1 is not closed.",
    )


def test_every_mistake_is_told_in_the_order_of_the_places() -> None:
    text = (
        "server {\n"
        ' access_control = ["nope"]\n'
        " websockets {}\n"
        ' endpoint "/" { response {} }\n'
        "}\n"
        'definitions {\n jwt "J" {\n jwks_ttl = "x"\n bearer = []\n }\n}\n'
        "other {}\n"
    )
    found = problems(text)
    assert [problem.split(";")[0] for problem in found] == [
        'couper.hcl:2,19-27: referenced access control "nope" is not defined',
        "couper.hcl:3,2-12: websockets is not supported",
        "configuration error: J: signature_algorithm or jwks_url attribute required",
        "configuration error: J: jwt key: read error: required: configured attribute or file",
        'configuration error: J: time: invalid duration "x"',
        "couper.hcl:9,11-13: Unsuitable value type for bearer",
        "couper.hcl:12,1-6: Unsupported block type",
    ]


def test_the_environment_comes_before_the_defaults_and_the_later_default_before_the_earlier() -> None:
    text = f'{SERVER}defaults {{\n environment_variables = {{ A = "a", B = "b", C = "c" }}\n}}\n'
    later = 'defaults {\n environment_variables = { B = "later", C = env.D }\n}\n'
    environ = {"A": "outside", "D": "d"}
    assert configuration(text, later, environ=environ).environ == {"A": "outside", "B": "later", "C": "d", "D": "d"}
    assert configuration(text, environ={"A": ""}).environ["A"] == ""


def test_a_default_is_used_but_never_told_as_a_variable() -> None:
    jwt = 'definitions { jwt "J" {\n signature_algorithm = "HS256"\n key = env.K\n} }\n'
    defaults = 'defaults { environment_variables = { K = "k" } }\n'
    first = configuration(SERVER + jwt + defaults).access_controls["J"]
    second = configuration(SERVER + jwt + defaults, environ={"K": "x"}).access_controls["J"]
    assert [getattr(each, "key", None) for each in (first, second)] == [Secret(b"k"), Secret(b"x", variable="K")]


def test_wrong_defaults_are_told() -> None:
    (problem,) = problems(f"{SERVER}defaults {{\n environment_variables = [1]\n}}")
    assert problem == "couper.hcl:3,26-29: Unsuitable value type for environment_variables; map of strings required"


def test_settings_are_kept_as_they_were_written() -> None:
    text = f'{SERVER}settings {{\n port = 8081\n health_path = "/h"\n couper_compat {{ ignore_crit = true }}\n}}'
    settings = configuration(text, "settings { port = 8082 }").settings
    assert settings.values == {"port": 8082, "health_path": "/h", "couper_compat": {"ignore_crit": True}}
    assert settings.places["port"].file == "1.hcl"
    assert settings.places["health_path"].line == 4


def test_paths_are_told_from_the_folder_of_their_own_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"s")
    text = 'definitions { jwt "J" {\n signature_algorithm = "HS256"\n key_file = "key"\n} }\n'
    found = configuration(SERVER, text, folder=tmp_path).access_controls["J"]
    assert getattr(found, "key", None) == Secret(b"s", file=tmp_path / "key")


def test_the_chosen_environment_is_known_to_expressions() -> None:
    text = 'server { hosts = ["${couper.environment}.example"]\n endpoint "/" { response {} } }\n'
    assert configuration(text, environment="prod").servers[0].hosts == ("prod.example",)
    assert configuration(text, environment="prod").environment == "prod"


@pytest.mark.parametrize("text", ["\r\n".join((SERVER + SECRET).splitlines()[:1]), f"# c\n/* d */ {SERVER}// e"])
def test_line_ends_of_others_and_comments_are_no_mistake(text: str) -> None:
    assert configuration(text).servers[0].endpoints[0].path == "/"
