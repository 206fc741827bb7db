"""How operations describe themselves."""

from __future__ import annotations

from jwtgate.admin.described import answers, heeds_conditions, takes, takes_conditionally, takes_patch


def test_an_answer_names_its_schema_and_its_tag() -> None:
    described = answers("Route", "The route.", tagged=True)
    answer = described["responses"][200]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Route"}
    assert "ETag" in answer["headers"]


def test_an_answer_without_content_names_none() -> None:
    assert answers(None, "Gone.", status=204)["responses"] == {204: {"description": "Gone."}}


def test_a_body_is_needed_and_of_the_types_that_are_read() -> None:
    assert takes("Route")["openapi_extra"]["requestBody"]["required"]
    content = takes_patch()["openapi_extra"]["requestBody"]["content"]
    assert list(content) == ["application/merge-patch+json", "application/json-patch+json"]


def test_conditions_are_described_where_they_are_heeded() -> None:
    for described in (takes_conditionally("Route"), takes_patch(), heeds_conditions()):
        names = [each["name"] for each in described["openapi_extra"]["parameters"]]
        assert names == ["If-Match", "If-None-Match"]
    assert "parameters" not in takes("Route")["openapi_extra"]
