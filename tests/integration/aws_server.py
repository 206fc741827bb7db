"""AWS Secrets Manager on the loopback, as moto plays it, without the web framework that moto's own server needs."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from moto.core.request import Request
from moto.secretsmanager.responses import SecretsManagerResponse
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response


class _Asked(Request):
    from_wsgi_server = True


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@_Asked.application
def _answer(request: Any) -> Response:
    status, fields, body = SecretsManagerResponse.dispatch(request, request.url, request.headers)
    return Response(body, status, fields)


class AwsServer:
    """Runs inside `with`."""

    def __init__(self) -> None:
        self._server = make_server("127.0.0.1", 0, _answer, threaded=True, request_handler=_Quiet)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
