"""A gateway that speaks Couper, as people run it, and curl, as people ask it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.dialects.dialect_process import Answer, DialectProcess, curl


class CouperProcess(DialectProcess):
    """Runs inside `with`, on a text that becomes `couper.hcl` in the folder."""

    listening = ("--listen",)

    def __init__(self, folder: Path, text: str, *, environ: dict[str, str] | None = None) -> None:
        file = folder / "couper.hcl"
        file.write_text(text)
        super().__init__("couper", folder, file, environ=environ)
        self.proxy = ""

    def found(self, proxy: list[str], admin: str) -> None:
        """Note the address."""
        assert not admin
        self.proxy = f"http://{proxy[0]}"

    def ask(self, path: str = "/p", *arguments: str, bearer: str | None = None) -> Answer:
        """The answer to a request with these arguments of curl; `bearer` is a token for `Authorization`."""
        if bearer is not None:
            arguments = ("--header", f"Authorization: Bearer {bearer}", *arguments)
        return curl("--url", f"{self.proxy}{path}", *arguments)

    def line(self, answer: Answer) -> dict[str, Any]:
        """The line of the access log for the request that was answered so. Workers write theirs in any order."""
        identifier = answer.field("couper-request-id")
        self.until(lambda: any(line["uid"] == identifier for line in self.logged()))
        return next(line for line in self.logged() if line["uid"] == identifier)
