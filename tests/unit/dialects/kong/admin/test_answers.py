"""What Kong's Admin API answers."""

import json

import pytest

from jwtgate.dialects.kong.admin import answers
from jwtgate.dialects.kong.admin.answers import Failure


@pytest.mark.parametrize(
    ("failure", "status", "code", "name", "message"),
    [
        (answers.invalid_primary_key({"id": "x"}), 400, 1, "invalid primary key", "'{id=\"x\"}'"),
        (answers.schema_violation({"a": "b"}), 400, 2, "schema violation", "schema violation (a: b)"),
        (answers.primary_key_taken("x"), 400, 3, "primary key violation", "'{id=\"x\"}'"),
        (answers.reference_broken("service", "x", "services"), 400, 4, "foreign key violation", "'services' entity."),
        (answers.still_referred_to("services", "routes"), 400, 4, "foreign key violation", "'routes' entity"),
        (answers.taken({"username": "x"}), 409, 5, "unique constraint violation", "'{username=\"x\"}'"),
        (answers.taken({"b": None, "a": {"id": "x"}}), 409, 5, "unique constraint violation", '{a={id="x"},b=null}'),
        (answers.taken({"a": 'x"\\'}), 409, 5, "unique constraint violation", '{a="x\\"\\\\"}'),
        (answers.bad_offset("x"), 400, 7, "invalid offset", "'x' is not a valid offset"),
        (answers.bad_size("size must be a number"), 400, 9, "invalid size", "size must be a number"),
        (answers.bad_unique("name", "no"), 400, 10, "invalid unique", "(name: no)"),
        (answers.bad_option("tags", "no"), 400, 11, "invalid options", "invalid option (tags: no)"),
        (
            answers.unsupported("create", "routes"),
            405,
            12,
            "operation unsupported",
            "cannot create 'routes' entities when not using a database",
        ),
        (
            answers.unresolved("service", {"name": "x"}, "services"),
            400,
            13,
            "foreign keys unresolved",
            "foreign key unresolved (service.name: ",
        ),
        (
            answers.bad_declaration({}, "no"),
            400,
            14,
            "invalid declarative configuration",
            "declarative config is invalid: no",
        ),
        (answers.still_in_use("certificates", "plugins"), 400, 19, "referenced by others", "by 'plugins'"),
    ],
)
def test_an_error_has_a_number_a_name_and_a_message(
    failure: Failure, status: int, code: int, name: str, message: str
) -> None:
    value = json.loads(failure.reply.body)
    assert (failure.reply.status, value["code"], value["name"]) == (status, code, name)
    assert message in value["message"]
    assert isinstance(value["fields"], dict)


def test_an_error_without_a_number_is_only_a_message() -> None:
    assert json.loads(answers.not_found().reply.body) == {"message": "Not found"}
    assert answers.not_found().reply.status == 404
    assert str(answers.said(415, "x")) == "415"


def test_an_answer_without_a_value_is_empty() -> None:
    reply = answers.answer(204)
    assert (reply.body, reply.fields) == (b"", ())


def test_an_answer_names_its_type() -> None:
    assert answers.answer(200, {}).fields == (("Content-Type", "application/json; charset=utf-8"),)
    assert answers.answer(200, {}, media_type="x/y").fields == (("Content-Type", "x/y"),)
