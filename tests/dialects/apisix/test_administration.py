"""The Admin API over HTTP: who may use it, what it makes, and how soon the proxy knows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.dialects.apisix.apisix_process import ADMIN_API_KEY, ApisixProcess
from tests.dialects.apisix.httpbin import Httpbin
from tests.dialects.apisix.tokens import SECRET, token

CONFIG = """
deployment:
  role: traditional
  admin:
    admin_key:
      - {name: admin, key: an-admin-key, role: admin}
      - {name: viewer, key: a-viewer-key, role: viewer}
apisix:
  data_encryption:
    enable_encrypt_fields: true
    keyring: [edd1c9f0985e76a2]
"""


def asked(apisix: ApisixProcess, arguments: str, **variables: str) -> tuple[int, Any]:
    answer = apisix.sh(f'curl "http://127.0.0.1:9180/apisix/admin/routes" {arguments}', **variables)
    return answer.status, answer.value.get("description")


def test_a_key_is_needed(apisix: ApisixProcess) -> None:
    assert asked(apisix, "") == (401, "missing apikey")
    assert asked(apisix, '-H "X-API-KEY: edd1c9f034335f136f87ad84b625c8f1"') == (401, "wrong apikey")
    assert asked(apisix, '-H "X-API-KEY: ${ADMIN_API_KEY}"') == (200, None)
    assert asked(apisix, "--cookie x_api_key=${ADMIN_API_KEY}") == (200, None)


def test_without_a_key_of_its_own_the_api_answers_nobody(httpbin: Httpbin, tmp_path: Path) -> None:
    with ApisixProcess(tmp_path, httpbin=httpbin.place, environ={"ADMIN_API_KEY": ""}) as apisix:
        assert asked(apisix, '-H "X-API-KEY: ${ADMIN_API_KEY}"') == (401, "wrong apikey")
        assert asked(apisix, '-H "X-API-KEY;"')[0] == 401
        apisix.until(lambda: apisix.events("admin_key_missing"))


def test_keys_and_the_key_ring_may_come_from_a_file(httpbin: Httpbin, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    with ApisixProcess(tmp_path, config, httpbin=httpbin.place, environ={"ADMIN_API_KEY": ""}) as apisix:
        assert asked(apisix, '-H "X-API-KEY: a-viewer-key"') == (200, None)
        assert asked(apisix, '-X POST -H "X-API-KEY: a-viewer-key"') == (401, "invalid method for role viewer")
        consumer = {"username": "jack", "plugins": {"jwt-auth": {"key": "k", "secret": "my-secret-key"}}}
        told = apisix.sh(
            'curl "http://127.0.0.1:9180/apisix/admin/consumers" -X PUT -H "X-API-KEY: an-admin-key" -d "${value}"',
            value=json.dumps(consumer),
        )
        assert told.value["value"]["plugins"]["jwt-auth"]["secret"] == "IRWpPjbDq5BCgHyIllnOMA=="


def test_what_was_told_is_known_by_the_next_command(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret=SECRET)
    for number in range(5):
        apisix.route(f"/get{number}")
        assert apisix.get(f"/get{number}", token=token()).status == 200
        assert apisix.get(f"/get{number - 1}", token=token()).status == 404
    apisix.admin("DELETE", "/consumers/jack")
    assert apisix.get("/get4", token=token()).status == 401


def test_what_was_told_outlives_a_restart(httpbin: Httpbin, tmp_path: Path) -> None:
    with ApisixProcess(tmp_path, httpbin=httpbin.place) as apisix:
        apisix.consumer(key="jack-key", secret=SECRET)
        apisix.route()
    (tmp_path / "journal").unlink()
    with ApisixProcess(tmp_path, httpbin=httpbin.place) as apisix:
        assert apisix.get(token=token()).seen["X-Consumer-Username"] == "jack"
        assert apisix.admin("GET", "/routes").value["total"] == 1


def test_objects_are_made_shown_changed_and_deleted(apisix: ApisixProcess) -> None:
    nodes = {"nodes": {apisix.places["httpbin.org:80"]: 1}}
    apisix.put("/upstreams/1", nodes)
    posted = apisix.admin("POST", "/routes", {"uri": "/get", "upstream_id": "1"})
    assert posted.status == 201
    key = posted.value["key"].removeprefix("/apisix")
    assert apisix.get().status == 200
    assert apisix.admin("PATCH", key, {"uri": "/other"}).value["value"]["uri"] == "/other"
    assert (apisix.get("/other").status, apisix.get().status) == (200, 404)
    assert apisix.admin("DELETE", "/upstreams/1").status == 400
    assert apisix.admin("DELETE", key).value == {"deleted": "1", "key": f"/apisix{key}"}
    assert apisix.admin("DELETE", "/upstreams/1").status == 200
    assert apisix.get("/other").value == {"error_msg": "404 Route Not Found"}


def test_what_is_deleted_by_force_leaves_the_routes_that_need_it_unserved_until_it_is_back(
    apisix: ApisixProcess,
) -> None:
    service = {"plugins": {"jwt-auth": {}}, "upstream": {"nodes": {apisix.places["httpbin.org:80"]: 1}}}
    apisix.put("/services/s", service)
    apisix.put("/routes/r", {"uri": "/get", "service_id": "s"})
    assert apisix.admin("DELETE", "/services/s").status == 400
    assert apisix.admin("DELETE", "/services/s?force=true").status == 200
    assert apisix.get().status == 503
    apisix.put("/services/s", service)
    assert apisix.get().status == 401


def test_an_object_may_live_for_a_time(apisix: ApisixProcess) -> None:
    upstream = {"nodes": {apisix.places["httpbin.org:80"]: 1}}
    assert apisix.admin("PUT", "/routes/1?ttl=1", {"uri": "/get", "upstream": upstream}).status == 201
    assert apisix.get().status == 200
    apisix.until(lambda: apisix.get().status == 404)


def test_a_key_is_one_consumers_alone(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret=SECRET)
    rose = {"username": "rose", "plugins": {"jwt-auth": {"key": "jack-key", "secret": SECRET}}}
    answer = apisix.admin("PUT", "/consumers", rose)
    assert answer.value == {"error_msg": "duplicate key of plugin jwt-auth found with consumer: jack"}
    assert answer.status == 400


def test_a_key_that_moves_is_free_for_others(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret=SECRET)
    apisix.consumer(key="other-key", secret=SECRET)
    apisix.consumer("rose", key="jack-key", secret=SECRET)
    apisix.route()
    assert apisix.get(token=token()).seen["X-Consumer-Username"] == "rose"


def test_a_schema_is_checked_and_nothing_kept(apisix: ApisixProcess) -> None:
    assert apisix.admin("POST", "/schema/validate/routes", {"uri": "/", "plugins": {}}).status == 200
    answer = apisix.admin("POST", "/schema/validate/routes", {"uri": 1, "plugins": {}})
    assert (answer.status, "uri" in answer.value["error_msg"]) == (400, True)
    assert apisix.admin("GET", "/schema/plugins/jwt-auth?schema_type=consumer").value["required"] == ["key"]
    assert "jwt-auth" in json.loads(apisix.admin("GET", "/plugins/list").body)
    assert apisix.admin("GET", "/routes").value["total"] == 0


def test_a_thousand_consumers_are_told_of_one_by_one(apisix: ApisixProcess) -> None:
    place = f"http://{apisix.places['127.0.0.1:9180']}/apisix/admin/consumers"
    common = (
        f'request = "PUT"\nheader = "X-API-KEY: {ADMIN_API_KEY}"\noutput = "/dev/null"\nwrite-out = "%{{http_code}} "'
    )
    calls = []
    for number in range(1000):
        consumer = {"username": f"c{number}", "plugins": {"jwt-auth": {"key": f"k{number}"}}}
        calls.append(f'url = "{place}"\n{common}\ndata = {json.dumps(json.dumps(consumer))}\n')
    config = "next\n".join(calls).encode()
    told = subprocess.run(["curl", "-s", "--config", "-"], input=config, capture_output=True, check=True, timeout=60)
    assert told.stdout.decode().split() == ["201"] * 1000
    listed = apisix.admin("GET", "/consumers?page=2&page_size=10").value
    assert (listed["total"], len(listed["list"])) == (1000, 10)
