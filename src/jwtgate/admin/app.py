"""The Admin API as one application: what it consists of, and what stands before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from starlette.responses import Response

from jwtgate.admin import page
from jwtgate.admin.access.attempts import Attempts
from jwtgate.admin.access.guard import Guard
from jwtgate.admin.access.operators import Operators
from jwtgate.admin.described import Operation
from jwtgate.admin.description import describe
from jwtgate.admin.exchange import failures
from jwtgate.admin.exchange.answering import answer
from jwtgate.admin.exchange.reading import only_described
from jwtgate.admin.operations.documents import CHECK, DIFF, Documents
from jwtgate.admin.operations.kinds import KINDS, Resources
from jwtgate.admin.operations.records import Records
from jwtgate.control.administration.administration import Administration
from jwtgate.policy.sources import Operator

_DESCRIPTION = "Look at the gateway, and change it while it runs. A change is live in every worker, or was refused."


def guarded_app(
    administration: Administration,
    operators: Sequence[Operator],
    *,
    shows_page: bool,
    wall: Callable[[], float],
    monotonic: Callable[[], float],
) -> Guard:
    """The whole application. `shows_page`: its interactive page, and what that reads, may be seen by anybody."""
    return Guard(
        _app(administration, wall=wall, shows_page=shows_page),
        operators=Operators(operators),
        attempts=Attempts(monotonic),
        public=page.PATHS if shows_page else (),
        reading=(CHECK, DIFF),
    )


def _app(administration: Administration, *, wall: Callable[[], float], shows_page: bool) -> FastAPI:
    app = FastAPI(
        title="jwtgate Admin API",
        version=version("jwtgate"),
        description=_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for operation in _operations(administration, wall):
        app.add_api_route(
            f"/v1{operation.path}",
            operation.endpoint,
            methods=[operation.method],
            operation_id=operation.name,
            summary=operation.name.replace("_", " ").capitalize(),
            tags=[operation.path.split("/")[1]],
            dependencies=[Depends(only_described)],
            **operation.described,
        )
    _add_description(app)
    if shows_page:
        page.add_page(app)
    failures.install(app)
    return app


def _operations(administration: Administration, wall: Callable[[], float]) -> Iterator[Operation]:
    yield from Documents(administration).operations()
    for kind in KINDS:
        yield from Resources(administration, kind).operations()
    yield from Records(administration, wall=wall).operations()


def _add_description(app: FastAPI) -> None:
    """Serve the OpenAPI document, which is made once."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(describe(app))
        return made

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents

    @app.get("/v1/openapi.json", include_in_schema=False)
    async def description() -> Response:
        return answer(openapi())
