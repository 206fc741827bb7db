"""What the node says no with, as problems."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from jwtgate.admin.exchange.problems import Mistake, Problem, pointer, unusable
from jwtgate.config.problems import Sentence
from jwtgate.control.administration.resources import NotFound, OwnedByDocument
from jwtgate.errors import ConfigError
from jwtgate.state.stores.store import StoreConflict, StoreFailed

RETRY_SECONDS = 5

Place = tuple[str | int | None, ...]


def install(app: FastAPI) -> None:
    """Have every failure answered as a problem."""
    answers: tuple[tuple[type[Exception], Callable[[Request, Any], Problem]], ...] = (
        (Problem, lambda _, problem: problem),
        (HTTPException, _of_framework),
        (RequestValidationError, _of_parameters),
        (ConfigError, lambda _, error: unusable(mistakes_of(error))),
        (NotFound, lambda _, __: Problem(404, "unknown", "There is nothing of that name.")),
        (OwnedByDocument, lambda _, __: Problem(409, "document", "The document's file names it. Change it there.")),
        (StoreConflict, _of_conflict),
        (StoreFailed, _of_store),
        (Exception, lambda _, __: Problem(500, "failure", "The Admin API failed. The journal tells where.")),
    )
    for kind, problem_of in answers:
        app.add_exception_handler(kind, _responding(problem_of))


def _responding(problem_of: Callable[[Request, Any], Problem]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def respond(request: Request, error: Exception) -> Response:
        return problem_of(request, error).response()

    return respond


def mistakes_of(error: ConfigError, within: Place = ()) -> list[Mistake]:
    """The mistakes in a value that stands at `within` in its document, None there for any step.

    What is wrong elsewhere in the document has no place in the value, and its sentence says where it is.
    """
    found = []
    for problem in error.problems:
        if isinstance(problem, Sentence) and _begins(problem.place, within):
            found.append(Mistake(pointer(problem.place[len(within) :]), problem.cause))
        else:
            found.append(Mistake("", str(problem)))
    return found


def _begins(place: Place, start: Place) -> bool:
    return len(place) >= len(start) and all(wanted in (None, step) for step, wanted in zip(place, start, strict=False))


def _of_framework(request: Request, error: HTTPException) -> Problem:
    if error.status_code != 405:
        return Problem(error.status_code, "unknown", "There is nothing at this path.", fields=error.headers)
    methods = request.app.openapi()["paths"].get(request.scope["route"].path_format, {})
    allowed = ", ".join(sorted(method.upper() for method in methods)) or "GET"
    return Problem(405, "methods", f"The methods here are {allowed}.", fields={"Allow": allowed})


def _of_parameters(_: Request, error: RequestValidationError) -> Problem:
    places = (details["loc"] for details in error.errors())
    sentences = (f"the {place[0]} parameter {place[-1]} cannot be used" for place in places)
    mistakes = [Mistake("", re.sub(r"[^ -~]", "?", sentence)) for sentence in sentences]
    return Problem(400, "unreadable", "The request cannot be read.", mistakes=mistakes)


def _of_conflict(request: Request, _: StoreConflict) -> Problem:
    conditional = "if-match" in request.headers or "if-none-match" in request.headers
    detail = "There is another version by now. Read it, and decide again."
    return Problem(412 if conditional else 409, "versions", detail)


def _of_store(_: Request, __: StoreFailed) -> Problem:
    detail = "The store cannot be used at the moment. Nothing was changed."
    return Problem(503, "store", detail, fields={"Retry-After": str(RETRY_SECONDS)})
