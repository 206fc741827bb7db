"""The resources of a document, kind by kind: listed, shown, made, replaced, patched and deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from starlette.responses import Response

from jwtgate.admin.described import Operation, answers, heeds_conditions, takes_conditionally, takes_patch
from jwtgate.admin.exchange.answering import listing, tagged, unchanged
from jwtgate.admin.exchange.conditions import Condition, condition, is_unchanged, matching
from jwtgate.admin.exchange.failures import mistakes_of
from jwtgate.admin.exchange.patches import MERGE, PATCH, patched
from jwtgate.admin.exchange.problems import Problem, unusable
from jwtgate.admin.exchange.reading import NAME_PATTERN, Part, json_body, path_name, who
from jwtgate.control.administration.administration import Administration
from jwtgate.control.administration.resources import FROM_STORE, NotFound, Resource
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource: its path, the name of its schema, and where its resources stand in a document."""

    path: str
    schema: str
    place: tuple[str | None, ...]
    one: str

    @property
    def written(self) -> str:
        """The name of the schema of a resource with its version."""
        return f"{self.schema}Resource"

    @property
    def listed(self) -> str:
        """The name of the schema of a list."""
        return f"{self.schema}List"


KINDS = (
    Kind("routes", "Route", ("routes",), "route"),
    Kind("upstreams", "Upstream", ("upstreams",), "upstream"),
    Kind("issuers", "Issuer", ("issuers",), "issuer"),
    Kind("consumers", "Consumer", ("consumers",), "consumer"),
    Kind("credentials", "Credential", ("consumers", None, "credentials"), "credential"),
    Kind("signing-keys", "SigningKey", ("signing", "keys"), "signing key"),
    Kind("secret-stores", "SecretStore", ("secret_stores",), "secret store"),
)


async def decoded_name(
    name: Annotated[str, Path(description="Its name, percent-encoded.", json_schema_extra={"pattern": NAME_PATTERN})],
) -> str:
    """The name in the path."""
    return path_name(name)


Name = Annotated[str, Depends(decoded_name)]


class Resources:
    """The operations on resources of one kind."""

    def __init__(self, administration: Administration, kind: Kind) -> None:
        self._administration = administration
        self._kind = kind

    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        kind, path = self._kind, f"/{self._kind.path}"
        name = kind.one.replace(" ", "_")
        one = answers(kind.written, f"The {kind.one}.", tagged=True)
        return (
            Operation(path, "GET", self.list, f"list_{name}s", answers(kind.listed, "A part of the list.")),
            Operation(f"{path}/{{name}}", "GET", self.get, f"get_{name}", one),
            Operation(f"{path}/{{name}}", "PUT", self.put, f"put_{name}", one | takes_conditionally(kind.schema)),
            Operation(f"{path}/{{name}}", "PATCH", self.patch, f"patch_{name}", one | takes_patch()),
            Operation(f"{path}/{{name}}", "DELETE", self.delete, f"delete_{name}", _GONE | heeds_conditions()),
        )

    async def list(
        self,
        part: Part,
        contains: Annotated[str | None, Query(max_length=128, description="Only names that hold this text.")] = None,
    ) -> Response:
        """In the order of their names."""
        page = await self._administration.list(self._kind.path, after=part.after, limit=part.limit, contains=contains)
        items: JSON = [shown(each) for each in page.resources]
        asked = {"limit": str(part.limit), **({"contains": contains} if contains else {})}
        return listing(f"/v1/{self._kind.path}", items, page.next, asked=asked)

    async def get(self, name: Name, request: Request) -> Response:
        """Secrets are shown as `***`."""
        resource = await self._administration.get(self._kind.path, name)
        # The file changes without a version of ours.
        if resource.origin == FROM_STORE and is_unchanged(request, resource.version):
            return unchanged(resource.version)
        return tagged(resource.version, shown(resource))

    async def put(self, name: Name, request: Request) -> Response:
        """The whole resource is replaced. A secret given as `***` stays as it is."""
        over = await self._over(name, condition(request))
        _, value = await json_body(request)
        return await self._written(name, value, over, request)

    async def patch(self, name: Name, request: Request) -> Response:
        """Change members of a resource by a JSON Merge Patch or a JSON Patch."""
        asked = condition(request)
        kind, patch = await json_body(request, MERGE, PATCH)
        resource = await self._administration.get(self._kind.path, name)
        over = matching(asked, resource.version)
        value = patched(resource.value, patch, kind)
        return await self._written(name, value, resource.version if over is None else over, request)

    async def delete(self, name: Name, request: Request) -> Response:
        """The resource is gone afterwards. What the document's file names stays: change it there."""
        over = await self._over(name, condition(request))
        await self._administration.delete(self._kind.path, name, over=over, who=who(request))
        return Response(status_code=204)

    async def _written(self, name: str, value: JSON, over: int | None, request: Request) -> Response:
        try:
            resource = await self._administration.put(self._kind.path, name, value, over=over, who=who(request))
        except ConfigError as error:
            raise unusable(mistakes_of(error, (*self._kind.place, name))) from error
        return tagged(resource.version, shown(resource))

    async def _over(self, name: str, asked: Condition) -> int | None:
        """The version that may be changed; 0: there must be none, None: any."""
        if asked.absent:
            return 0
        if not asked.exists:
            return None
        try:
            return matching(asked, (await self._administration.get(self._kind.path, name)).version)
        except NotFound:
            raise Problem(412, "versions", "There is no version that could match.") from None


_GONE = answers(None, "It is gone.", status=204)


def shown(resource: Resource) -> dict[str, JSON]:
    """A resource as it is answered."""
    return {
        "name": resource.name,
        "value": resource.value,
        "version": resource.version,
        "origin": resource.origin,
        "changed_at": resource.changed_at,
    }
