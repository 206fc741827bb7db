"""The whole document: shown, checked, compared, applied, patched, and rolled back."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from jwtgate.admin.described import Operation, answers, heeds_conditions, takes, takes_conditionally, takes_patch
from jwtgate.admin.exchange.answering import answer, numbered, tagged
from jwtgate.admin.exchange.conditions import condition, matching
from jwtgate.admin.exchange.patches import MERGE, PATCH, patched
from jwtgate.admin.exchange.problems import Mistake, Problem
from jwtgate.admin.exchange.reading import NUMBER_PATTERN, NumberedPart, json_body, who
from jwtgate.admin.operations.kinds import KINDS
from jwtgate.control.administration.administration import Administration
from jwtgate.control.administration.resources import FROM_STORE, NotFound, OwnedByDocument
from jwtgate.jose.encoding import JSON
from jwtgate.state.stores.registry import DocumentVersion

CHECK, DIFF = "/v1/document/check", "/v1/document/diff"
"""The paths that take a document and change nothing."""


class Documents:
    """The operations on the whole document."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        whole = answers("DocumentVersion", "The document and its version.", tagged=True)
        back = "/document/history/{version}/roll-back"
        return (
            Operation("/document", "GET", self.get, "get_document", whole),
            Operation("/document", "PUT", self.put, "apply_document", whole | takes_conditionally("Document")),
            Operation("/document", "PATCH", self.patch, "patch_document", whole | takes_patch()),
            Operation("/document/check", "POST", self.check, "check_document", _GOOD | takes("Document")),
            Operation("/document/diff", "POST", self.diff, "diff_document", _DIFFERENCE | takes("Document")),
            Operation("/document/history", "GET", self.history, "list_document_versions", _HISTORY),
            Operation(back, "POST", self.roll_back, "roll_back_document", whole | heeds_conditions()),
        )

    async def get(self) -> Response:
        """Secrets are shown as `***`."""
        return _shown(await self._administration.document())

    async def put(self, request: Request) -> Response:
        """All of it, or nothing when it has a mistake. A secret given as `***` stays as it is."""
        over = await self._over(request)
        _, value = await json_body(request)
        return await self._applied(value, over, request)

    async def patch(self, request: Request) -> Response:
        """Change parts of the document by a JSON Merge Patch or a JSON Patch."""
        asked = condition(request)
        kind, patch = await json_body(request, MERGE, PATCH)
        held = await self._administration.document()
        matching(asked, held.version)
        value = patched(dict(held.value), patch, kind)
        return await self._applied(value, held.version, request)

    async def check(self, request: Request) -> Response:
        """Whether this document could be applied; its mistakes, if not. Nothing is changed."""
        _, value = await json_body(request)
        await self._checked(value)
        return answer({"good": True})

    async def diff(self, request: Request) -> Response:
        """The JSON Patch that makes this document of the one that is served. Nothing is changed."""
        _, value = await json_body(request)
        await self._checked(value)
        return answer({"patch": [dict(each) for each in await self._administration.diff(value)]})

    async def history(self, part: NumberedPart) -> Response:
        """The documents that were applied, oldest first, without their values."""
        versions = await self._administration.history(after=part.after, limit=part.limit)
        items: JSON = [
            {"version": each.version, "changed_at": each.changed_at, "changed_by": each.changed_by} for each in versions
        ]
        return numbered("/v1/document/history", items, [each.version for each in versions], part=part)

    async def roll_back(
        self,
        version: Annotated[str, Path(description="The version to serve again.", pattern=NUMBER_PATTERN)],
        request: Request,
    ) -> Response:
        """Apply the document of an earlier version as the newest one."""
        over = await self._over(request)
        return _shown(await self._administration.roll_back(int(version), over=over, who=who(request)))

    async def _applied(self, value: JSON, over: int | None, request: Request) -> Response:
        try:
            return _shown(await self._administration.apply(value, over=over, who=who(request)))
        except OwnedByDocument as error:
            raise await self._not_ours(value) from error

    async def _checked(self, value: JSON) -> None:
        try:
            await self._administration.check(value)
        except OwnedByDocument as error:
            raise await self._not_ours(value) from error

    async def _not_ours(self, value: JSON) -> Problem:
        """The problem of a document that says something else than the file does, with each such place."""
        places = [str(operation["path"]) for operation in await self._administration.diff(value)]
        mistakes = [Mistake(place, "is the file's to say") for place in places if not await self._is_ours(place)]
        detail = "The document's file says something else. Change it there."
        return Problem(409, "document", detail, mistakes=mistakes)

    async def _is_ours(self, place: str) -> bool:
        """Whether what stands there is added by the store, or could be."""
        steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in place.split("/")[1:])
        for kind in KINDS:
            if steps == kind.place:
                return True
            if steps[: len(kind.place)] == kind.place:
                try:
                    held = await self._administration.get(kind.path, steps[len(kind.place)])
                except NotFound:
                    return True
                return held.origin == FROM_STORE
        return False

    async def _over(self, request: Request) -> int | None:
        """The version that may be replaced; None: any. Raises `Problem` 412 and 428."""
        asked = condition(request)
        if not (asked.exists or asked.absent):
            detail = "Say with If-Match which version may be replaced, or * for any."
            raise Problem(428, "versions", detail)
        return (
            None
            if asked.tags is None and asked.exists
            else matching(asked, (await self._administration.document()).version)
        )


_GOOD = answers("Good", "The document can be applied.")
_DIFFERENCE = answers("Difference", "What would change.")
_HISTORY = answers("History", "A part of the history.")


def _shown(document: DocumentVersion) -> Response:
    return tagged(document.version, {"version": document.version, "value": dict(document.value)})
