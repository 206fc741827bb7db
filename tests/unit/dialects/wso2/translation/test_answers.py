from __future__ import annotations

import json

from jwtgate.dialects.wso2.translation.answers import answers
from jwtgate.errors import CATALOGUE


def test_answers_have_the_codes_of_the_product() -> None:
    found = answers()
    codes = {reason: (answer["status"], json.loads(answer["body"])["code"]) for reason, answer in found.items()}
    assert codes["credential_missing"] == (401, "900902")
    assert codes["token_refused"] == (401, "900901")
    assert codes["consumer_unknown"] == codes["condition_not_met"] == (403, "900908")
    assert codes["dependency_fault"] == (500, "900900")
    assert json.loads(found["dependency_fault"]["body"])["message"] == "Unclassified Authentication Failure"
    assert found["token_refused"]["challenge"]
    assert not found["consumer_unknown"]["challenge"]
    classes = {"token_refused", "scope_refused", "dependency_fault"}
    assert codes.keys() - classes <= CATALOGUE.keys()
