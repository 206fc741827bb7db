"""What the pages tell people to type does what the pages say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import jwtgate

from .gateway_process import GatewayProcess
from .loopback_server import LoopbackServer
from .transcript import Terminal, fits, steps

ROOT = Path(__file__).parents[2]
JWTGATE = str(Path(sys.executable).with_name("jwtgate"))


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/reference/toolkit.md"])
def test_the_python_of_a_page_runs_and_says_ann(page: str) -> None:
    (code,) = blocks(page, "python")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("ann")


def test_the_document_of_the_readme_is_the_one_the_demo_runs() -> None:
    (document,) = blocks("README.md", "yaml")
    example = (ROOT / "examples/quickstart.yaml").read_text()
    assert document.rstrip() in example


def test_the_mistakes_of_the_readme_are_what_check_says(tmp_path: Path) -> None:
    shown = next(block for block in blocks("README.md", "console") if "jwtgate check" in block).splitlines()[1:]
    example = (ROOT / "examples/quickstart.yaml").read_text()
    broken = example.replace("algorithms: [RS256, ES256]", "algorithm: [RS256, HS256]").replace(
        "auth: required", "auth: requird"
    )
    (tmp_path / "gate.yaml").write_text(broken)
    run = subprocess.run([JWTGATE, "check", "gate.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert run.returncode == 2
    assert run.stderr.splitlines() == shown


def installed_example(folder: Path) -> str:
    """The path on which the plug-in of the examples is found, as if it had been installed."""
    example = ROOT / "examples/claims-plugin"
    points = tomllib.loads((example / "pyproject.toml").read_text())["project"]["entry-points"]["jwtgate.claims"]
    metadata = folder / "acme_claims-1.0.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: acme-claims\nVersion: 1.0.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[jwtgate.claims]", *lines]))
    return f"{example / 'src'}:{folder}"


BENCH = "docs/how-to/try-it.md"
HOW_TO = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/how-to").glob("*.md"))
WHOLE = [(page, text) for page in HOW_TO for text in blocks(page, "yaml") if text.startswith("listen:")]


@pytest.mark.parametrize(("page", "document"), WHOLE, ids=[page for page, _ in WHOLE])
def test_every_whole_document_of_a_how_to_is_good(page: str, document: str, tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(document)
    for name, form in re.findall(r"file: ([\w.]+\.(pem|json))", document):
        key = jwtgate.generate_key("ES256" if form == "json" else "RS256").public()
        (tmp_path / name).write_text(key.to_pem() if form == "pem" else json.dumps(key.to_jwk()))
    environ = dict.fromkeys(re.findall(r"\$\{env:(\w+)\}", document), "a secret of more than thirty-two bytes")
    environ["PYTHONPATH"] = installed_example(tmp_path)
    run = subprocess.run(
        [JWTGATE, "check", "gate.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=30, env=environ
    )
    assert run.returncode == 0, run.stdout + run.stderr


TRIED = [page for page in dict(WHOLE) if "\n## Try it\n" in (ROOT / page).read_text()]


@pytest.mark.parametrize("page", TRIED)
def test_what_a_how_to_has_one_type_in_does_what_it_shows(page: str, tmp_path: Path) -> None:
    bench, text = (ROOT / BENCH).read_text(), (ROOT / page).read_text()
    section = text.split("\n## Try it\n")[1].split("\n## ")[0]
    terminal = Terminal(tmp_path, {"PYTHONPATH": installed_example(tmp_path)})
    (tmp_path / "gate.yaml").write_text(terminal.here(blocks(page, "yaml")[0]))
    for program in [*blocks(BENCH, "python"), *blocks(page, "python")]:
        if named := re.match(r"# (\w+\.py): ", program):
            (tmp_path / named[1]).write_text(terminal.here(program))
    typed = steps(bench) + steps(section)
    answers = terminal.typed([step.command for step in typed])
    assert len(answers) == len(typed), answers
    for step, said in zip(typed, answers, strict=True):
        assert fits(step.shown, said), f"{step.command}\n--- shown\n{step.shown}\n--- said\n{said}"


@pytest.mark.parametrize("example", sorted(path.name for path in (ROOT / "examples").glob("*.yaml")))
def test_every_example_is_good(example: str) -> None:
    environ = {"ISSUER": "https://login.example", "UPSTREAM": "http://127.0.0.1:9020"}
    command = [JWTGATE, "check", str(ROOT / "examples" / example)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environ)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_measurements_that_the_results_speak_of_can_be_started() -> None:
    code = "from bench import __main__, micro; print([name for name, _ in zip(micro.steps(), range(3))] and 'ready')"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.stdout == "ready\n", run.stderr


def test_the_tutorial_leads_where_it_says(tmp_path: Path) -> None:
    """Its commands but for the servers, which are started as the tests start them."""

    def type_in(command: str) -> str:
        run = subprocess.run([JWTGATE, *command.split()], cwd=tmp_path, capture_output=True, text=True, timeout=30)
        assert run.returncode in (0, 1), run.stderr
        return run.stdout

    page = (ROOT / "docs/tutorial/first-gateway.md").read_text()
    type_in("keys new --alg ES256 --kid mine --out issuer.json")
    (tmp_path / "issuer.public.json").write_text(type_in("keys show issuer.json"))
    (document,) = blocks("docs/tutorial/first-gateway.md", "yaml")
    document = document.replace("listen: 127.0.0.1:8080", "listen: 127.0.0.1:0")
    sign = re.findall(r"jwtgate (sign [^)]*)", page)
    assert len(sign) == 2
    token, other = (type_in(command).strip() for command in sign)
    with LoopbackServer() as upstream:
        document = document.replace("http://127.0.0.1:9020", upstream.url)
        with GatewayProcess(tmp_path, document, workers=1) as gateway:
            assert gateway.get("/")[0] == 401
            status, seen = gateway.get("/", token=token)
            assert status == 200
            assert b"x-jwt-assertion" in seen
            assert token.encode() not in seen
            request = f"GET / HTTP/1.1\nHost: 127.0.0.1:8080\nAuthorization: Bearer {other}\n\n"
            (tmp_path / "request.http").write_text(request)
            explained = type_in("explain jwtgate.yaml --request request.http")
            assert "audience_wrong in room claims" in explained
