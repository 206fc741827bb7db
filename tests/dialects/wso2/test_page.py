"""What the page for those who come from WSO2 has one type in does what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml
from tests.dialects.dialect_process import curl
from tests.dialects.wso2.neighbours import Backend
from tests.dialects.wso2.reading import of_dialect
from tests.dialects.wso2.wso2_process import HEADER, Wso2Process, seen

from jwtgate.dialects.wso2.reading.entities import ENTITIES
from jwtgate.dialects.wso2.reading.options import OPTIONS

PAGE = (Path(__file__).parents[3] / "docs/dialects/wso2.md").read_text()
JWTGATE = str(Path(sys.executable).with_name("jwtgate"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_files_of_the_page_become_a_document_that_can_be_served(tmp_path: Path) -> None:
    (tmp_path / "deployment.toml").write_text(blocks("toml")[0])
    (tmp_path / "records.yaml").write_text(blocks("yaml")[0])
    command = next(line for line in blocks("bash")[0].splitlines() if "import" in line).partition("#")[0]
    run = subprocess.run([JWTGATE, *command.split()[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    assert " 0 refused; " in run.stderr.splitlines()[-1]
    (tmp_path / "gate.yaml").write_text(run.stdout)
    checked = subprocess.run([JWTGATE, "check", "gate.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0, checked.stderr


def test_the_command_of_the_page_leads_to_the_backend(tmp_path: Path, backend: Backend) -> None:
    records = yaml.safe_load(blocks("yaml")[0].replace("http://127.0.0.1:9000", backend.url))
    with Wso2Process(tmp_path / "gateway", blocks("toml")[0], records) as gateway:
        _, *arguments = shlex.split(blocks("bash")[1].replace("http://127.0.0.1:8280", gateway.proxy))
        (token,) = seen(curl(*arguments), HEADER)
        assert of_dialect(token)["enduser"] == "sumedha@carbon.super"
        assert curl(f"{gateway.proxy}/jwks").value == curl(f"{gateway.proxy}/t/carbon.super/jwks").value


def test_the_page_names_all_that_can_be_set_besides_and_all_members_of_records() -> None:
    settings = PAGE.split("| setting |")[1].split("\n\n")[0]
    ours = list(OPTIONS)[list(OPTIONS).index("jwt_profile") :]
    assert {name for name in ours if f"`{name}`" not in settings} == set()
    lists = PAGE.split("| list |")[1].split("\n\n")[0]
    for kind, entity in ENTITIES.items():
        (row,) = [line for line in lists.splitlines() if line.startswith(f"| `{kind}`")]
        unsaid = {name for name in entity.fields if name not in row}
        # They stand with the keys of the application, and with the file that is meant.
        assert unsaid <= {"key_manager", "disable_default_claim_mapping"}, kind


def test_the_class_of_the_page_can_be_made() -> None:
    (code,) = blocks("python")
    held: dict[str, object] = {}
    exec(code, held)
    assert hasattr(held["Mine"], "populate_standard_claims")
