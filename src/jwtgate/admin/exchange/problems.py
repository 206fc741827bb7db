"""Whatever goes wrong, as problem details (RFC 9457). Nothing of what was sent is quoted (SEC-140)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from jwtgate.jose.encoding import JSON, json_bytes

MEDIA_TYPE = "application/problem+json"
# Renamed by RFC 9110, and by Python later.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
_PAGE = "https://github.com/jwtgate/jwtgate/blob/main/docs/how-to/admin-api.md#"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: where it stands, as a JSON pointer (RFC 6901), and what is wrong there."""

    place: str
    sentence: str


class Problem(Exception):
    """A request that is not answered as asked. `kind` names the section of the documentation that explains it."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        mistakes: Iterable[Mistake] = (),
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.mistakes = tuple(mistakes)
        self.fields = fields

    def response(self) -> Response:
        """The problem as an answer."""
        content: dict[str, JSON] = {
            "type": _PAGE + self.kind,
            "title": _TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.mistakes:
            content["mistakes"] = [{"place": each.place, "sentence": each.sentence} for each in self.mistakes]
        return Response(json_bytes(content), self.status, self.fields, media_type=MEDIA_TYPE)


def unreadable(sentence: str, place: str = "") -> Problem:
    """The problem of a request that has no reading."""
    return Problem(400, "unreadable", "The request cannot be read.", mistakes=[Mistake(place, sentence)])


def unusable(mistakes: Iterable[Mistake]) -> Problem:
    """The problem of a value that can be read and not be used."""
    return Problem(422, "mistakes", "It cannot be done. Nothing was changed.", mistakes=mistakes)


def pointer(place: Iterable[str | int]) -> str:
    """The JSON pointer of a place."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in place)
