"""Consumers and their credentials as consumers of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.apisix.noting import Noting, Place, places
from jwtgate.dialects.apisix.objects import decoded, with_secret
from jwtgate.dialects.apisix.plugins.limits import rate_limit_of
from jwtgate.dialects.apisix.references import said
from jwtgate.dialects.apisix.schema.plugins import MACS, PLUGINS, is_reference
from jwtgate.dialects.apisix.unread import note_unread_of
from jwtgate.dialects.dialect import Caller, Objects, literal
from jwtgate.dialects.secrets import leniencies

IDENTIFIER = "identifier"
"""The label of a credential of ours that holds its id there."""
MOST_SECONDS = 366 * 86400
_MOST_LEEWAY = 300


def caller_of(consumer: Mapping[str, Any], credentials: Mapping[str, Mapping[str, Any]], objects: Objects) -> Caller:
    """The consumer of ours that these, checked before, become. `credentials` by their ids."""
    noting, name = Noting(), consumer["username"]
    here = ("consumers", name)
    value: dict[str, Any] = {}
    labels = consumer.get("labels", {})
    if labels:
        value["labels"] = {label: literal(text) for label, text in labels.items()}
    plugins = dict(consumer.get("plugins", {}))
    group = consumer.get("group_id")
    if group is not None:
        value["groups"] = [str(group)]
        plugins = {**objects.get("consumer_groups", {}).get(str(group), {}).get("plugins", {}), **plugins}
    made = dict(_credentials(plugins, objects, noting, (*here, "plugins")))
    value.update(_limits(plugins, noting, (*here, "plugins")))
    note_unread_of(consumer.get("plugins", {}), noting, (*here, "plugins"), of_caller=True)
    noted = list(places(consumer, here))
    for identity, credential in credentials.items():
        there = ("credentials", f"{name}/{identity}")
        found = _credentials(credential.get("plugins", {}), objects, noting, (*there, "plugins"))
        for plugin, held in found:
            made[f"{plugin}/{identity}"] = {**held, "labels": {IDENTIFIER: identity}}
        note_unread_of(credential.get("plugins", {}), noting, (*there, "plugins"), of_caller=True)
        noted += places(credential, there)
    if made:
        value["credentials"] = made
    return Caller(name, value, noting.notes(noted))


def keys_of(plugins: Mapping[str, Any]) -> tuple[tuple[str, str, bool], ...]:
    """For each plugin with a key of its caller: the plugin, the key, and whether that only refers to it."""
    found = ((name, conf.get("key")) for name, conf in plugins.items() if name in ("jwt-auth", "key-auth"))
    return tuple((name, key, is_reference(key)) for name, key in found if isinstance(key, str))


def _credentials(
    plugins: Mapping[str, Any], objects: Objects, noting: Noting, place: Place
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, conf in plugins.items():
        if name == "key-auth":
            yield name, _waiting({"api_key": said(conf["key"], objects)})
        elif name == "jwt-auth":
            yield name, _waiting(_jwt_auth(conf, objects, noting, (*place, name)))
        elif name != "limit-count":
            known = "means nothing on a consumer here" if name in PLUGINS else f"unknown plugin [{name}]"
            noting.refused((*place, name), known)


def _waiting(credential: dict[str, Any]) -> dict[str, Any]:
    """The credential, allowed to lack for now what it only refers to."""
    refers = any(isinstance(value, str) and value.replace("$${", "").count("${") for value in credential.values())
    return {**credential, "may_wait_for_its_secrets": True} if refers else credential


def _jwt_auth(conf: Mapping[str, Any], objects: Objects, noting: Noting, place: Place) -> dict[str, Any]:
    alg = conf.get("algorithm", "HS256")
    credential = {"named": said(conf["key"], objects), "alg": alg, **_times(conf, noting, place)}
    if alg in MACS:
        return {**credential, **_secret(conf, objects, noting, place)}
    if "jwks_uri" in conf:
        credential["keys"] = {"url": literal(conf["jwks_uri"])}
    else:
        credential["public_key"] = said(conf["public_key"], objects)
    if conf.get("private_key"):
        credential["private_key"] = said(conf["private_key"], objects)
    for unread in ("secret", "base64_secret"):
        if unread in conf:
            noting.changed((*place, unread), f"{alg} has no secret")
    if "jwks_uri" in conf and conf.get("public_key"):
        noting.changed((*place, "public_key"), "the keys at jwks_uri are used instead")
    return credential


def _secret(conf: Mapping[str, Any], objects: Objects, noting: Noting, place: Place) -> dict[str, Any]:
    if not conf.get("secret"):
        noting.changed((*place, "secret"), "there was none, so one was made; read it where it was written")
    secret = with_secret(conf)["secret"]
    for unread in ("public_key", "private_key"):
        if conf.get(unread):
            noting.changed((*place, unread), "a MAC has no such key")
    held: dict[str, Any] = {"secret": said(secret, objects)}
    if conf.get("base64_secret"):
        held["base64"] = True
    if is_reference(secret):  # nobody knows yet what it leads to
        return {**held, **leniencies(None, conf.get("algorithm", "HS256"))}
    value = decoded(secret) if conf.get("base64_secret") else secret.encode()
    lenient = leniencies(value or b"", conf.get("algorithm", "HS256"))
    if lenient:
        noting.danger((*place, "secret"), "can be guessed")
    return {**held, **lenient}


def _times(conf: Mapping[str, Any], noting: Noting, place: Place) -> dict[str, Any]:
    lives, grace = conf.get("exp", 86400), conf.get("lifetime_grace_period", 0)
    for name, seconds in (("exp", lives), ("lifetime_grace_period", grace)):
        if seconds > MOST_SECONDS:
            noting.changed((*place, name), "is 366 days at most")
    times: dict[str, Any] = {
        "ttl_seconds": int(min(lives, MOST_SECONDS)),
        "leeway_seconds": int(min(grace, MOST_SECONDS)),
    }
    if grace > _MOST_LEEWAY:
        times["long_leeway_allowed_for_legacy_tokens"] = True
        noting.danger((*place, "lifetime_grace_period"), "tokens are good for long after they expired")
    return times


def _limits(plugins: Mapping[str, Any], noting: Noting, place: Place) -> dict[str, Any]:
    conf = plugins.get("limit-count")
    if conf is None or (conf.get("_meta") or {}).get("disable"):
        return {}
    return {
        "rate_limit": rate_limit_of(
            {**conf, "key": "consumer_name", "key_type": "var"}, noting, (*place, "limit-count")
        )
    }
