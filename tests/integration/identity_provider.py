"""A real OpenID provider (npm: oidc-provider) on the loopback, and its keys, for tests that need an issuer
nobody here wrote. Needs `node` and `npm`; `missing` says what is not there."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from base64 import b64encode
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from joserfc.jwk import ECKey, KeySet, KeySetSerialization, RSAKey
from tests.ports import free_port

FOLDER = Path(__file__).parent / "idp"
CLIENT_ID = "orders-client"
CLIENT_SECRET = "a secret of the tests, and of the tests only"
AUDIENCE_RS256 = "https://orders.example"
AUDIENCE_ES256 = "https://stock.example"
AUDIENCE_OPAQUE = "https://accounts.example"
GATEWAY_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt")
"""How the clients `gateway-METHOD` authenticate, which may ask about tokens."""
START_SECONDS = 20.0

Json = dict[str, Any]


def missing() -> str | None:
    """What this machine lacks to run the provider, as a sentence; None when nothing."""
    absent = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"the OpenID provider needs {' and '.join(absent)}, not found on PATH" if absent else None


def install() -> None:
    """Install the locked packages, unless exactly these are installed."""
    if _locked(FOLDER / "package-lock.json") != _locked(FOLDER / "node_modules/.package-lock.json"):
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=300)


def _locked(lock: Path) -> dict[str, str]:
    """The integrity of each package in a lock file by its place; empty when there is no such file."""
    if not lock.exists():
        return {}
    packages: dict[str, Json] = json.loads(lock.read_text())["packages"]
    return {place: package["integrity"] for place, package in packages.items() if place}


def new_key_set(name: str) -> KeySet:
    """A fresh private JWK Set, one RS256 and one ES256 key, with kids `NAME-rs256` and `NAME-es256`."""
    rsa = RSAKey.generate_key(2048, {"kid": f"{name}-rs256", "alg": "RS256", "use": "sig"})
    ec = ECKey.generate_key("P-256", {"kid": f"{name}-es256", "alg": "ES256", "use": "sig"})
    return KeySet([rsa, ec])


class IdentityProvider:
    """The provider as a process: running inside `with`, on one port for its whole life."""

    def __init__(self, folder: Path, key_set: KeySet) -> None:
        """`folder` (a test's own) receives the key set file and the log."""
        self._folder = folder
        self._key_set = key_set
        self._log = folder / "identity-provider.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.client_key = ECKey.generate_key("P-256", {"kid": "gateway-1", "alg": "ES256", "use": "sig"})
        self.issuer = f"http://127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        install()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def jwks_uri(self) -> str:
        return f"{self.issuer}/jwks"

    @property
    def introspection_endpoint(self) -> str:
        return f"{self.issuer}/token/introspection"

    def start(self) -> None:
        """Start it and return once it listens."""
        assert self._process is None
        keys = self._folder / "identity-provider-keys.json"
        keys.write_text(json.dumps(self._key_set.as_dict(private=True)))
        client_keys = self._folder / "identity-provider-client-keys.json"
        client_keys.write_text(json.dumps(KeySet([self.client_key]).as_dict(private=False)))
        port = self.issuer.rpartition(":")[2]
        ready_before = self._lines().count("ready")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["node", "server.mjs", port, str(keys), CLIENT_SECRET, str(client_keys)],
                cwd=FOLDER,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while self._lines().count("ready") == ready_before:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the OpenID provider did not start:\n{self._log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it; the port is free afterwards. Stopping twice is fine."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        process.communicate(timeout=30)

    def restart(self, key_set: KeySet) -> None:
        """Rotate: the same issuer at the same address with other keys."""
        self.stop()
        self._key_set = key_set
        self.start()

    def token(self, scope: str = "orders:read", audience: str = AUDIENCE_RS256) -> str:
        """An access token by client credentials; `audience` also chooses an `at+jwt` by RS256 or ES256, or opaque."""
        form = {"grant_type": "client_credentials", "scope": scope, "resource": audience}
        access_token: str = json.loads(self._post("/token", form))["access_token"]
        return access_token

    def revoke(self, token: str) -> None:
        """End an opaque token before its time (RFC 7009)."""
        self._post("/token/revocation", {"token": token})

    def introspection_requests(self) -> int:
        """How often it was asked about a token since the first start."""
        return self._lines().count("POST /token/introspection")

    def metadata(self) -> Json:
        """Its metadata document (OpenID Connect Discovery 1.0)."""
        metadata: Json = _fetch(urllib.request.Request(f"{self.issuer}/.well-known/openid-configuration"))
        return metadata

    def jwks(self) -> KeySetSerialization:
        """Its public JWK Set; counts as one request."""
        key_set: KeySetSerialization = _fetch(urllib.request.Request(self.jwks_uri))
        return key_set

    def jwks_requests(self) -> int:
        """How often the JWK Set was asked for since the first start."""
        return self._lines().count("GET /jwks")

    def _post(self, path: str, form: dict[str, str]) -> bytes:
        basic = f"{urllib.parse.quote_plus(CLIENT_ID)}:{urllib.parse.quote_plus(CLIENT_SECRET)}"
        request = urllib.request.Request(
            f"{self.issuer}{path}",
            data=urllib.parse.urlencode(form).encode(),
            headers={"Authorization": f"Basic {b64encode(basic.encode()).decode()}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: bytes = answer.read()
        return body

    def _lines(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []


def _fetch(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
