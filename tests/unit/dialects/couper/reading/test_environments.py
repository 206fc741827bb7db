from __future__ import annotations

from tests.unit.dialects.couper.reading.couper_hcl import block_of, configuration, problems

from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.environments import chosen
from jwtgate.dialects.couper.reading.mistakes import Mistakes

TEXT = """
server {
  hosts = ["a"]
  environment "prod" "stage" {
    hosts = ["b"]
    endpoint "/x" { response {} }
  }
  endpoint "/y" { environment "prod" { response {} } }
}
"""


def server(environment: str) -> Block:
    return chosen(block_of(TEXT), environment, Mistakes()).blocks[0]


def test_what_the_chosen_environment_holds_stands_in_its_place() -> None:
    block = server("prod")
    assert [each.label for each in block.blocks] == ["/x", "/y"]
    assert block.attributes["hosts"].text.source == '["b"]'
    assert [each.type for each in block.blocks[1].blocks] == ["response"]


def test_any_of_its_labels_chooses_it() -> None:
    block = server("stage")
    assert [each.label for each in block.blocks] == ["/x", "/y"]
    assert block.blocks[1].blocks == ()


def test_what_another_environment_holds_is_left_out() -> None:
    block = server("test")
    assert [each.label for each in block.blocks] == ["/y"]
    assert block.attributes["hosts"].text.source == '["a"]'


def test_a_block_without_a_chosen_environment_is_a_mistake_that_names_the_option() -> None:
    mistakes = Mistakes()
    chosen(block_of(TEXT), None, mistakes)
    first, second = mistakes.error().problems
    assert first.startswith('couper.hcl:4,3-29: "environment" blocks found, but "COUPER_ENVIRONMENT"')
    assert "--environment" in first
    assert second.startswith("couper.hcl:8,19-37: ")


def test_a_block_without_label_is_a_mistake() -> None:
    mistakes = Mistakes()
    chosen(block_of("environment {}"), "prod", mistakes)
    assert mistakes.error().problems == ("couper.hcl:1,1-12: missing label; ",)


def test_the_option_the_variable_and_the_settings_choose_in_this_order() -> None:
    text = (
        'server { environment "a" { hosts = ["a"] }\n environment "b" { hosts = ["b"] }\n'
        'environment "c" { hosts = ["c"] }\n endpoint "/" { response {} } }\nsettings { environment = "a" }\n'
    )
    assert configuration(text).servers[0].hosts == ("a",)
    outside = {"COUPER_ENVIRONMENT": "b"}
    assert configuration(text, environ=outside).servers[0].hosts == ("b",)
    assert configuration(text, environ=outside, environment="c").servers[0].hosts == ("c",)
    assert configuration(text, environment="d").servers[0].hosts == ()
    assert len(problems(text.replace("settings", "// settings"))) == 3
