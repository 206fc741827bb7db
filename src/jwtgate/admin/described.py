"""How an operation describes itself in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from starlette.responses import Response

from jwtgate.admin.exchange.patches import MERGE, PATCH
from jwtgate.admin.exchange.reading import JSON_TYPE

TAG_FIELD = {"ETag": {"schema": {"type": "string"}, "description": "The version, for `If-Match`."}}


class Operation(NamedTuple):
    """One operation: its path below `/v1`, its function, its name, and what the functions below say of it."""

    path: str
    method: str
    endpoint: Callable[..., Awaitable[Response]]
    name: str
    described: Mapping[str, Any]


def reference(name: str) -> dict[str, str]:
    """A schema of the components, by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def answers(name: str | None, description: str, *, status: int = 200, tagged: bool = False) -> dict[str, Any]:
    """Arguments for a route that answers with the schema `name`; None: without content."""
    answer: dict[str, Any] = {"description": description}
    if name is not None:
        answer["content"] = {JSON_TYPE: {"schema": reference(name)}}
    if tagged:
        answer["headers"] = TAG_FIELD
    return {
        "responses": {status: answer},
        "response_class": Response,
        "response_description": description,
        "status_code": status,
    }


def takes(name: str) -> dict[str, Any]:
    """Arguments for a route whose body has the schema `name`."""
    return {"openapi_extra": {"requestBody": _body({JSON_TYPE: name})}}


def takes_conditionally(name: str) -> dict[str, Any]:
    """The same for a route that heeds conditions."""
    return {"openapi_extra": {"requestBody": _body({JSON_TYPE: name}), "parameters": CONDITIONS}}


def takes_patch() -> dict[str, Any]:
    """Arguments for a route that takes either kind of patch, and heeds conditions."""
    body = _body({MERGE: "MergePatch", PATCH: "JsonPatch"})
    return {"openapi_extra": {"requestBody": body, "parameters": CONDITIONS}}


def heeds_conditions() -> dict[str, Any]:
    """Arguments for a route without body that heeds conditions."""
    return {"openapi_extra": {"parameters": CONDITIONS}}


def _body(schemas: Mapping[str, str]) -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": reference(name)} for kind, name in schemas.items()}}


def _field(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"}}


CONDITIONS = [
    _field("If-Match", "The entity tag of the version to change; `*`: any."),
    _field("If-None-Match", "`*`: only when there is none yet."),
]
