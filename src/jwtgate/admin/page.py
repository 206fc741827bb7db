"""The interactive page: Swagger UI as `fastapi_offline` brings it, started by a script of ours.

Everything comes from this listener, and nothing on the page is inline, so its policy allows neither scripts nor
addresses from elsewhere (SEC-146).
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import fastapi_offline
from fastapi import FastAPI
from starlette.responses import Response

HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>jwtgate</title>
<link rel="stylesheet" href="/page/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="page"></div>
<script src="/page/swagger-ui-bundle.js"></script>
<script src="/page/start.js"></script>
</body>
</html>
"""
# Without a validator, which is somebody else's server; the token is kept in memory only.
START = """SwaggerUIBundle({
  url: "/v1/openapi.json",
  dom_id: "#page",
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "none",
});
"""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PATHS = ("/", "/page/start.js", "/page/swagger-ui-bundle.js", "/page/swagger-ui.css", "/v1/openapi.json")
"""Everything the page is made of."""


def add_page(app: FastAPI) -> None:
    """Serve the page."""

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return Response(HTML, headers={"Content-Security-Policy": POLICY}, media_type="text/html")

    @app.get("/page/start.js", include_in_schema=False)
    async def start() -> Response:
        return Response(START, media_type="text/javascript")

    @app.get("/page/swagger-ui-bundle.js", include_in_schema=False)
    async def bundle() -> Response:
        return Response(_asset("swagger-ui-bundle.js"), media_type="text/javascript")

    @app.get("/page/swagger-ui.css", include_in_schema=False)
    async def style() -> Response:
        return Response(_asset("swagger-ui.css"), media_type="text/css")


@cache
def _asset(name: str) -> bytes:
    return resources.files(fastapi_offline).joinpath("static", name).read_bytes()
