from __future__ import annotations

from tests.unit.dialects.couper.reading.couper_hcl import block_of

from jwtgate.dialects.couper.reading.blocks import read_blocks
from jwtgate.dialects.couper.reading.mistakes import Mistakes


def said_of(data: bytes) -> tuple[str, ...]:
    mistakes = Mistakes()
    read_blocks(data, "couper.hcl", mistakes)
    return mistakes.error().problems


def test_blocks_have_their_labels_and_blocks_inside() -> None:
    (server,) = block_of('server "a" {\n api {\n endpoint "/p" {}\n }\n}\n').blocks
    assert (server.type, server.label) == ("server", "a")
    (api,) = server.blocks
    assert (api.type, api.label, api.blocks[0].label) == ("api", None, "/p")
    assert str(api.place) == "couper.hcl:2,2-5"


def test_an_attribute_keeps_the_source_of_its_expression_and_its_place() -> None:
    (server,) = block_of('server {\n  hosts = [ "a", # first\n   env.B ]\n}').blocks
    hosts = server.attributes["hosts"]
    assert hosts.text.source == '[ "a", # first\n   env.B ]'
    assert str(hosts.place) == "couper.hcl:2,3-8"
    assert str(hosts.text.place) == "couper.hcl:2,11-3,11"


def test_a_heredoc_is_kept_as_it_stands() -> None:
    (jwt,) = block_of('jwt "J" {\n key = <<-EOF\n   a\n  EOF\n cookie = "c"\n}').blocks
    assert jwt.attributes["key"].text.source == "<<-EOF\n   a\n  EOF\n"
    assert jwt.attributes["cookie"].text.source == '"c"'


def test_blocks_and_attributes_may_stand_in_one_line() -> None:
    (handler,) = block_of('error_handler "a" "b" { response { status = 303 body = "x" } }').blocks
    assert [label.text for label in handler.labels] == ["a", "b"]
    assert set(handler.blocks[0].attributes) == {"status", "body"}


def test_a_label_may_have_any_characters() -> None:
    blocks = block_of(r'jwt "My J-\"\\\t\u0041\U0001F600 $${x} ü" {}' + "\njwt bare {}\n").blocks
    assert [block.label for block in blocks] == ['My J-"\\\tA\U0001f600 ${x} ü', "bare"]


def test_a_label_with_a_template_is_refused() -> None:
    assert said_of(b'jwt "a${env.B}" {}')[0].startswith("couper.hcl:1,5-16: Invalid label; ")
    assert said_of(b'jwt "a\\q" {}')[0].startswith("couper.hcl:1,5-10: Invalid label; ")


def test_an_attribute_that_stands_twice_is_refused() -> None:
    (problem,) = said_of(b"server {\n a = 1\n a = 2\n}\n")
    assert problem.startswith(
        'couper.hcl:3,2-3: Attribute redefined; The argument "a" was already set at couper.hcl:2,2'
    )


def test_a_text_that_is_no_hcl_is_told_with_its_place() -> None:
    assert said_of(b"server {\n a = \n}") == (
        "couper.hcl:2,6-7: Invalid expression or block; Unexpected end of the line.",
    )
    assert said_of(b"\xff")[0].startswith("couper.hcl:1,1-1: Invalid character encoding")


def test_a_mark_of_the_byte_order_is_passed_over() -> None:
    assert block_of("\ufeffserver {}").blocks[0].type == "server"


def test_blocks_that_are_nested_without_end_are_refused() -> None:
    assert said_of(b"a {" * 2000 + b"}" * 2000) == ("couper.hcl:1,1-1: Blocks are nested too deeply; ",)
