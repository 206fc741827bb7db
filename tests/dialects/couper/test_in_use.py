"""A shop as people configure one: pages, a login, an interface behind tokens, and backends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dialects.apisix.httpbin import Httpbin
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.tokens import SECRET, T1, claims_of, token

HCL = """
server "shop" {
  hosts = ["*"]
  error_file = "pages/error.html"

  files {
    document_root = "htdocs" // what anybody may see
  }
  spa {
    base_path = "/app"
    bootstrap_file = "pages/app.html"
    paths = ["/**"]
    access_control = ["session"]
  }

  endpoint "/login" {
    allowed_methods = ["POST"]
    response {
      status = request.form_body.password[0] == env.PASSWORD ? 303 : 403
      headers = {
        location   = "/app",
        set-cookie = [
          "session=${jwt_sign("session", { sub = request.form_body.name[0] })}; HttpOnly",
          "seen=1",
        ]
      }
    }
  }

  api "v1" {
    base_path = "/v1"
    access_control = ["J"]
    cors {
      allowed_origins = ["https://shop.example"]
      max_age = "1h"
    }

    endpoint "/orders/{id}" {
      proxy {
        url = "${env.UPSTREAM}/get/${request.path_params.id}?from=${request.context.J.sub}"
        set_response_headers = { x-upstream = backend_responses.default.status, x-of = request.context.J.of }
      }
    }
    endpoint "/search/{kind}/**" {
      proxy {
        url = "/find/${request.path_params.kind}/**"
        backend = "shop"
        add_query_params = { q = request.query.more, user = request.context.J.sub }
        remove_query_params = ["more"]
      }
    }
    endpoint "/as-text" {
      set_response_status = 203
      proxy {
        backend = "shop"
        set_response_headers = { content-type = "text/x-shop" }
      }
    }
    endpoint "/both" {
      request "stock" { url = "${env.UPSTREAM}/get?stock=1" }
      proxy { backend = "shop" }
      response {
        json_body = {
          stock = backend_responses.stock.json_body.args, mine = backend_responses.default.json_body.headers
        }
      }
    }
    endpoint "/plain" { response { body = "plain" } }
  }

  endpoint "/admin" {
    access_control = ["staff"]
    response { body = request.context.staff.user }
  }
  endpoint "/exchange" {
    access_control = ["session"]
    response {}
  }
}

definitions {
  backend "shop" {
    origin = env.UPSTREAM
    path_prefix = "/headers"
  }
  basic_auth "staff" {
    user = "ann"
    password = env.PASSWORD
  }
  jwt "J" {
    signature_algorithm = "HS256"
    key = env.SECRET
  }
  jwt "session" {
    cookie = "session"
    signature_algorithm = "HS384"
    key = "of sessions"
    signing_ttl = "10m"
    error_handler "jwt_token_missing" "jwt_token_expired" {
      response {
        status = 302
        headers = { location = "/login?state=${jwt_sign("state", { path = request.path })}" }
      }
    }
  }
  jwt_signing_profile "state" {
    signature_algorithm = "HS256"
    key = env.SECRET
    ttl = "1m"
  }
}

defaults {
  environment_variables = { PASSWORD = "not this one" }
}
"""
FILES = {
    "htdocs/index.html": "<h1>${shop}</h1>",
    "htdocs/css/shop.css": "h1 {}",
    "pages/app.html": "<app>",
    "pages/error.html": "{{ .http_status }} {{ .message }}",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    folder: Path = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with Httpbin() as upstream:
        environ = {"UPSTREAM": f"http://{upstream.place}", "SECRET": SECRET, "PASSWORD": "p w"}
        with CouperProcess(folder, HCL, environ=environ) as running:
            yield running


def test_files_are_served_with_their_media_types(shop: CouperProcess) -> None:
    page, style = shop.ask("/"), shop.ask("/css/shop.css")
    assert (page.status, page.body, page.field("content-type")) == (200, "<h1>${shop}</h1>", "text/html; charset=utf-8")
    assert (style.body, style.field("content-type")) == ("h1 {}", "text/css; charset=utf-8")
    assert shop.ask("/css/shop.css", "--request", "PUT").status == 405
    assert shop.ask("/none.html").body == "404 route not found error"


def test_who_logs_in_gets_a_session_for_the_application(shop: CouperProcess) -> None:
    answer = shop.ask("/login", "--data", "name=bob&password=p+w")
    cookies = [value for name, value in answer.fields if name == "set-cookie"]
    assert (answer.status, answer.field("location"), cookies[1]) == (303, "/app", "seen=1")
    session = cookies[0].partition(";")[0]
    assert claims_of(session.partition("=")[2])["sub"] == "bob"
    page = shop.ask("/app/anything", "--cookie", session)
    assert (page.status, page.body, page.field("cache-control")) == (200, "<app>", "private")
    assert shop.ask("/login", "--data", "name=bob&password=x").status == 403


@pytest.mark.parametrize("path", ["/app/anything", "/exchange"])
def test_a_handler_may_sign(shop: CouperProcess, path: str) -> None:
    answer = shop.ask(path)
    location = answer.field("location") or ""
    assert (answer.status, location.partition("=")[0]) == (302, "/login?state")
    assert claims_of(location.partition("=")[2])["path"] == path


def test_path_and_query_of_a_url_may_vary_and_the_answer_be_looked_at(shop: CouperProcess) -> None:
    bearer = token({"sub": "a&b", "of": {"an": "object"}})
    answer = shop.ask("/v1/orders/a%20b?mine=1", "--header", "X-Mine: 1", bearer=bearer)
    assert answer.value["url"].endswith("/get/a%20b?from=a&b")
    assert (answer.field("x-upstream"), answer.field("x-of")) == ("200", None)
    assert answer.seen["X-Mine"] == "1"
    assert "Authorization" not in answer.seen
    assert shop.ask("/v1/orders/a").status == 401


def test_what_an_endpoint_left_open_follows_and_lists_become_parameters(shop: CouperProcess) -> None:
    answer = shop.ask("/v1/search/books/a/b?q=1&more=2&more=3", bearer=T1)
    path, _, query = answer.value["url"].partition("?")
    assert path.endswith("/headers/find/books/a/b")
    assert sorted(query.split("&")) == ["q=1", "q=2", "q=3", "user=john.doe"]


def test_status_and_media_type_of_an_answer_may_be_others(shop: CouperProcess) -> None:
    answer = shop.ask("/v1/as-text", bearer=T1)
    assert (answer.status, answer.field("content-type")) == (203, "text/x-shop")
    assert answer.value["url"].endswith("/headers/v1/as-text")


def test_a_proxy_beside_others_sends_the_fields_of_the_client(shop: CouperProcess) -> None:
    answer = shop.ask("/v1/both", "--header", "X-Mine: 1", "--header", "Accept-Encoding: br", bearer=T1)
    assert answer.value["stock"] == {"stock": "1"}
    assert answer.value["mine"]["X-Mine"] == "1"
    assert not {"Authorization", "Accept-Encoding"} & set(answer.value["mine"])


@pytest.mark.parametrize(("origin", "methods"), [("https://shop.example", "GET"), ("https://other.example", None)])
def test_only_pages_of_known_origins_are_told_what_they_may(
    shop: CouperProcess, origin: str, methods: str | None
) -> None:
    asked = ("--header", f"Origin: {origin}", "--header", "Access-Control-Request-Method: GET")
    answer = shop.ask("/v1/plain", "--request", "OPTIONS", *asked)
    assert (answer.status, answer.field("access-control-allow-methods")) == (204, methods)
    assert (answer.field("access-control-max-age") is None) == (methods is None)


def test_a_body_is_plain_text(shop: CouperProcess) -> None:
    assert shop.ask("/v1/plain", bearer=T1).field("content-type") == "text/plain"


def test_the_user_of_basic_auth_is_known(shop: CouperProcess) -> None:
    assert shop.ask("/admin", "--user", "ann:p w").body == "ann"
    assert shop.ask("/admin", "--user", "ann:not this one").status == 401
