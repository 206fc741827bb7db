"""The OpenAPI document: the operations of the application, and schemas made from those of a document's sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from jwtgate.admin.described import reference
from jwtgate.admin.exchange.problems import MEDIA_TYPE
from jwtgate.admin.exchange.reading import NAME_PATTERN
from jwtgate.admin.operations import revoking
from jwtgate.admin.operations.documents import CHECK, DIFF
from jwtgate.admin.operations.kinds import KINDS, Kind
from jwtgate.config.sections.document import document_schema

Node = dict[str, Any]

_TEXT, _FLAG, _INSTANT = {"type": "string"}, {"type": "boolean"}, {"type": "integer", "description": "A NumericDate."}
_MAYBE_INSTANT = {"type": ["integer", "null"], "description": "A NumericDate."}
_COUNT = {"type": "integer", "minimum": 0}
_OBJECTS: Mapping[str, Any] = {"type": "array", "items": {"type": "object"}}
_SECTIONS = "Section."


def describe(app: FastAPI) -> Node:
    """The OpenAPI document (3.1) of this application."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=app.description,
        routes=app.routes,
    )
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            operation["responses"] = {
                **{status: each for status, each in operation["responses"].items() if status[0] in "23"},
                **{
                    str(status): {"$ref": "#/components/responses/Problem"}
                    for status in _refusals(path, method, operation)
                },
            }
    made["security"] = [{"token": []}]
    made["components"] = {
        "schemas": {**_schemas(document_schema()), **_PROBLEMS, **_RECORDS},
        "responses": {
            "Problem": {
                "description": "It was not done; why (RFC 9457).",
                "content": {MEDIA_TYPE: {"schema": reference("Problem")}},
            }
        },
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "The token of an operator."}},
    }
    return made


def _refusals(path: str, method: str, operation: Node) -> Iterator[int]:
    """The statuses other than success that this operation may answer with."""
    yield from (400, 401, 403, 429, 503)
    if "{" in path:
        yield 404
    if "requestBody" in operation:
        yield from (408, 413, 415)
    if method != "get":
        yield from (409, 422)
    if method != "get" and path not in (CHECK, DIFF):
        yield 412
        yield from (428,) if path.startswith("/v1/document") else ()


def _schemas(document: Node) -> Node:
    """The schemas of documents and of their resources, of each kind three: its value, with its version, and a list."""
    sections = {f"{_SECTIONS}{name}": _moved(node) for name, node in document["$defs"].items()}
    whole = _moved({name: node for name, node in document.items() if name not in ("$defs", "$schema")})
    schemas: Node = {"Document": whole, **sections}
    for kind in KINDS:
        schemas[kind.schema] = _moved(_value_schema(document, kind))
        schemas[kind.written] = _object(
            name={"type": "string", "pattern": NAME_PATTERN},
            value={"description": f"The {kind.one}; secrets are shown as `***`."},
            version=_COUNT,
            origin={"enum": ["document", "store"], "description": "Who owns it: the document's file, or the store."},
            changed_at={"type": ["integer", "null"], "description": "A NumericDate; null: when the file was read."},
        )
        schemas[kind.listed] = _list(reference(kind.written))
    return schemas


def _value_schema(document: Node, kind: Kind) -> Node:
    """The schema of one resource of this kind, found from its place in the document."""
    nodes: list[Node] = [document]
    for step in (*kind.place, None):
        nodes = [child for node in nodes for each in _followed(node, document) for child in _below(each, step)]
    section = next(each for node in nodes for each in _followed(node, document) if "properties" in each)
    if kind.path != "credentials":
        return section
    # Below its consumer it need not say whose it is.
    owner = {"type": "string", "pattern": NAME_PATTERN, "description": "The consumer it belongs to."}
    needed = ["consumer", *section.get("required", ())]
    return {**section, "properties": {"consumer": owner, **section["properties"]}, "required": needed}


def _followed(node: Node, document: Node) -> Iterator[Node]:
    """The node, and what it refers to."""
    yield node
    if "$ref" in node:
        yield from _followed(document["$defs"][node["$ref"].rpartition("/")[2]], document)


def _below(node: Node, step: str | None) -> Iterator[Node]:
    if step is not None:
        yield from [node["properties"][step]] if step in node.get("properties", {}) else []
        return
    named = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    yield from (each for each in named if isinstance(each, dict))


def _moved(node: Any) -> Any:
    """The same schema with its references into the components of an OpenAPI document."""
    if isinstance(node, dict):
        moved = {name: _moved(item) for name, item in node.items()}
        if "$ref" in moved:
            moved["$ref"] = f"#/components/schemas/{_SECTIONS}{moved['$ref'].removeprefix('#/$defs/')}"
        return moved
    return [_moved(item) for item in node] if isinstance(node, list) else node


def _object(optional: Mapping[str, Any] | None = None, /, **members: Any) -> Node:
    return {"type": "object", "properties": {**members, **(optional or {})}, "required": list(members)}


def _list(item: Node) -> Node:
    following = {"type": ["string", "null"], "description": "The `after` of the next part; null: there is none."}
    return _object(items={"type": "array", "items": item}, next=following)


_PROBLEMS: Node = {
    "Problem": _object(
        {"mistakes": {"type": "array", "items": reference("Mistake")}},
        type={"type": "string", "format": "uri"},
        title=_TEXT,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=_TEXT,
    ),
    "Mistake": _object(place={"type": "string", "description": "A JSON pointer into the body."}, sentence=_TEXT),
}
_RECORDS: Node = {
    "DocumentVersion": _object(version=_COUNT, value={"description": "The document; secrets are shown as `***`."}),
    "Good": _object(good={"const": True}),
    "MergePatch": {"description": "What to change; null removes (RFC 7396)."},
    "JsonPatch": {
        "description": "Operations one after the other (RFC 6902).",
        "type": "array",
        "items": _object(
            {"value": {}, "from": _TEXT}, op={"enum": ["add", "remove", "replace", "move", "copy", "test"]}, path=_TEXT
        ),
    },
    "Difference": _object(patch=reference("JsonPatch")),
    "History": _list(_object(version=_COUNT, changed_at=_INSTANT, changed_by=_TEXT)),
    "NewRevocation": revoking.SCHEMA,
    "Revocation": _object(
        id=_TEXT,
        by=revoking.SCHEMA["properties"]["by"],
        value=_TEXT,
        issuer={"type": ["string", "null"]},
        issued_before={"type": ["integer", "null"]},
        expires_at={"type": ["integer", "null"]},
        note=_TEXT,
    ),
    "RevocationList": _list(reference("Revocation")),
    "Keys": _object(
        items={
            "type": "array",
            "items": _object(
                kid={"type": ["string", "null"]},
                alg=_TEXT,
                state={"enum": ["upcoming", "active", "retiring", "retired"]},
                published_at=_MAYBE_INSTANT,
                active_from=_MAYBE_INSTANT,
                retiring_from=_MAYBE_INSTANT,
                retired_from=_MAYBE_INSTANT,
            ),
        }
    ),
    "Rotation": _object(
        former={"type": ["string", "null"], "description": "The kid of the key that signs until then."},
        published_at=_INSTANT,
        takes_over_at=_INSTANT,
        leaves_at=_INSTANT,
    ),
    "Audit": _list(_object(number=_COUNT, at=_INSTANT, who=_TEXT, action=_TEXT, kind=_TEXT, name=_TEXT, over=_COUNT)),
    "Status": _object(
        generation=_COUNT,
        ready=_FLAG,
        degraded=_FLAG,
        workers=_COUNT,
        worker_restarts=_COUNT,
        reload_failures=_COUNT,
        issuers=_OBJECTS,
        introspection=_OBJECTS,
        secret_stores=_OBJECTS,
        consumers={"type": "object", "additionalProperties": _COUNT},
    ),
}
