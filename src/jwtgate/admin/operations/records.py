"""What is not part of a document: revocations, the turns of signing keys, the audit log, and how the node is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from jwtgate.admin.described import Operation, answers, takes
from jwtgate.admin.exchange.answering import answer, listing, numbered
from jwtgate.admin.exchange.reading import NumberedPart, Part, json_body, who
from jwtgate.admin.operations.kinds import Name
from jwtgate.admin.operations.revoking import revocation_from
from jwtgate.control.administration.administration import Administration
from jwtgate.control.administration.resources import NotFound
from jwtgate.jose.encoding import JSON
from jwtgate.policy.revocations import Revocation


class Records:
    """The operations on what is not part of a document."""

    def __init__(self, administration: Administration, *, wall: Callable[[], float]) -> None:
        self._administration = administration
        self._wall = wall

    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        revoked = answers("Revocation", "The revocation; every worker heeds it.", status=201) | takes("NewRevocation")
        listed, audit = answers("RevocationList", "A part of them."), answers("Audit", "A part of the audit log.")
        rotate, keys = "/signing-keys/{name}/rotate", "/signing-keys/{name}/keys"
        return (
            Operation("/revocations", "GET", self.revocations, "list_revocations", listed),
            Operation("/revocations", "POST", self.revoke, "revoke", revoked),
            Operation("/revocations/{name}", "DELETE", self.withdraw, "withdraw_revocation", _GONE),
            Operation(keys, "GET", self.keys, "list_keys_of_signing_key", answers("Keys", "Its keys, oldest first.")),
            Operation(rotate, "POST", self.rotate, "rotate_signing_key", _ROTATION),
            Operation("/audit", "GET", self.audit, "list_audit_entries", audit),
            Operation("/status", "GET", self.status, "get_status", answers("Status", "How the node is.")),
        )

    async def revocations(self, part: Part) -> Response:
        """Those that have not ended."""
        found = await self._administration.revocations(after=part.after, limit=part.limit)
        following = found[-1].id if len(found) == part.limit else None
        items: JSON = [_shown(each) for each in found]
        return listing("/v1/revocations", items, following, asked={"limit": str(part.limit)})

    async def revoke(self, request: Request) -> Response:
        """Refuse tokens before their time, in all workers."""
        _, value = await json_body(request)
        revocation = revocation_from(value, secrets.token_hex(8), now=int(self._wall()))
        await self._administration.revoke(revocation, who=who(request))
        return answer(_shown(revocation), status=201, fields={"Location": f"/v1/revocations/{revocation.id}"})

    async def withdraw(self, name: Name, request: Request) -> Response:
        """The tokens it named are accepted again, while they last."""
        await self._administration.withdraw_revocation(name, who=who(request))
        return Response(status_code=204)

    async def keys(self, name: Name) -> Response:
        """The keys of this name with their states, and since when or from when."""
        for held in await self._administration.signing_keys():
            if held["name"] == name:
                return answer({"items": held["keys"]})
        raise NotFound

    async def rotate(
        self,
        name: Name,
        request: Request,
        plan: Annotated[bool, Query(description="Only say what would happen.")] = False,
    ) -> Response:
        """Make the next key of this name, which signs once everybody has had time to fetch it."""
        return answer(dict(await self._administration.rotate(name, who=who(request), plan_only=plan)))

    async def audit(self, part: NumberedPart) -> Response:
        """Who changed what, oldest first. No values."""
        entries = await self._administration.audit(after=part.after, limit=part.limit)
        items: JSON = [asdict(each) for each in entries]
        return numbered("/v1/audit", items, [each.number for each in entries], part=part)

    async def status(self) -> Response:
        """The generation that runs, its workers, and the issuers it knows."""
        report = await self._administration.report()
        return answer(
            {
                "generation": report.generation,
                "ready": report.ready,
                "degraded": report.degraded,
                "workers": report.workers,
                "worker_restarts": report.worker_restarts,
                "reload_failures": report.reload_failures,
                "issuers": [asdict(each) for each in report.issuers],
                "introspection": [asdict(each) for each in report.introspections],
                "secret_stores": [asdict(each) for each in report.secret_stores],
                "consumers": {each.origin: each.count for each in report.consumers},
            }
        )


_GONE = answers(None, "It is gone.", status=204)
_ROTATION = answers("Rotation", "When the next key is shown, signs, and the former one is gone.")


def _shown(revocation: Revocation) -> JSON:
    return {**asdict(revocation), "by": revocation.by.value}
