from __future__ import annotations

from tests.unit.dialects.couper.reading.couper_hcl import SECRET, block_of, configuration, problems

from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.merging import merged


def both(first: str, second: str) -> Block:
    return merged([block_of(first), block_of(second)])


def test_one_file_stays_as_it_is() -> None:
    block = block_of("server {}\nserver {}\n")
    assert merged([block]) == block


def test_servers_and_apis_of_the_same_label_are_one() -> None:
    block = both(
        'server "a" {\n base_path = "/x"\n hosts = ["h"]\n api "v" { endpoint "/1" {} }\n}',
        'server "a" {\n base_path = "/y"\n api "v" { endpoint "/2" {} }\n api "w" {}\n}\nserver "b" {}',
    )
    first, second = block.blocks
    assert {name: each.text.source for name, each in first.attributes.items()} == {
        "base_path": '"/y"',
        "hosts": '["h"]',
    }
    assert [api.label for api in first.blocks] == ["v", "w"]
    assert [endpoint.label for endpoint in first.blocks[0].blocks] == ["/1", "/2"]
    assert second.label == "b"


def test_an_endpoint_or_a_definition_replaces_the_one_before() -> None:
    block = both('definitions { jwt "J" { bearer = true } }', 'definitions { jwt "J" { cookie = "c" } }')
    (jwt,) = block.blocks[0].blocks
    assert list(jwt.attributes) == ["cookie"]


def test_error_handlers_for_the_same_kinds_in_any_order_and_cors_are_replaced() -> None:
    block = both(
        'api { error_handler "a" "b" {}\n cors { max_age = "1s" } }',
        'api { error_handler "b" "a" { error_file = "x" }\n error_handler "a" {}\n cors { disable = true } }',
    )
    assert [each.type for each in block.blocks[0].blocks] == ["error_handler", "cors", "error_handler"]
    assert list(block.blocks[0].blocks[0].attributes) == ["error_file"]


def test_a_label_of_two_types_conflicts_across_files_and_of_one_type_in_one_file() -> None:
    server = 'server { endpoint "/" { response {} } }\n'
    jwt = f'definitions {{\n jwt "J" {{\n{SECRET}}}\n}}\n'
    basic = 'definitions {\n basic_auth "J" {\n password = "p"\n }\n}\n'
    assert problems(server + jwt, basic) == ("1.hcl:2,13-16: AC labels must be unique; ",)
    assert configuration(server + jwt, jwt).access_controls["J"].place.file == "1.hcl"


def test_paths_and_places_stay_those_of_the_file_they_stand_in() -> None:
    block = both("defaults {}\n", "\n\nserver {}\n")
    assert [each.place.file for each in block.blocks] == ["couper.hcl", "couper.hcl"]
    assert block.blocks[1].place.line == 3
