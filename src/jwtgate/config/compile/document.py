"""A document to its plan: names become objects, templates a table, rules a tuple of checks.

A `Document` is consistent, so nothing here can fail. What can be known now is not worked out per request.
"""

from __future__ import annotations

from collections.abc import Mapping

from jwtgate.config.compile.access_log import compile_access_log
from jwtgate.config.compile.answers import compile_answers
from jwtgate.config.compile.consumers import compile_consumer
from jwtgate.config.compile.forwarding import compile_path_rules, conditions_of, path_forms
from jwtgate.config.compile.issued import compile_generators, compile_profile, compile_signing_keys
from jwtgate.config.compile.issuers import compile_introspection, compile_issuer, compile_key_source
from jwtgate.config.compile.places import compile_administration, compile_secret_store
from jwtgate.config.compile.routes import RouteCompiler
from jwtgate.config.sections.document import Document, ListenerSection
from jwtgate.config.sections.section import parse_address
from jwtgate.policy.plan import Limits, Listener, OwnAddresses, Plan, Route, Sources, Tls
from jwtgate.policy.rooms.listed import ListedRouter
from jwtgate.policy.rooms.match import Router


def compile_document(document: Document) -> Plan:
    """What this document means."""
    issuers = {name: compile_issuer(name, section) for name, section in document.issuers.items()}
    compiler = RouteCompiler(document, issuers)
    routes = {name: compiler.route(name, section) for name, section in document.routes.items()}
    signing = document.signing
    keys = signing.keys if signing else {}
    profiles = signing.profiles if signing else {}
    return Plan(
        router=_router(document, routes),
        routes=tuple(routes.values()),
        issuers=issuers,
        signing={name: compile_signing_keys(name, section) for name, section in keys.items()},
        profiles={name: compile_profile(name, section, document) for name, section in profiles.items()},
        generators=compile_generators(signing),
        listeners=_listeners(document),
        sources=_sources(document),
        iss=signing.issuer if signing else None,
        identity_names=compiler.identity_names,
        answers=compile_answers(document.answers or {}, ""),
        paths=compile_path_rules(document.paths),
        refuse_unusual_field_names=document.fields.unusual_names == "refuse",
        trusted_proxies=document.trusted_proxies,
        token_limit_bytes=document.token_limit_bytes,
        own=OwnAddresses(
            health=not any("/healthz" in section.templates for section in document.routes.values()),
            **document.own.model_dump(),
        ),
        limits=Limits(**document.limits.model_dump()),
        request_id_field=document.request_id_field,
        generation_field=document.generation_field,
        access_log=compile_access_log(document.access_log) if document.access_log is not None else None,
    )


def _router(document: Document, routes: Mapping[str, Route]) -> Router | ListedRouter:
    if document.routing == "listed":
        listed = ListedRouter()
        for name, section in document.routes.items():
            conditions = conditions_of(section)
            listed.add(routes[name], path_forms(section), hosts=section.hosts or (), conditions=conditions)
        return listed
    router = Router()
    for name, section in document.routes.items():
        for template in section.templates:
            router.add(routes[name], template, methods=section.methods or (), hosts=section.hosts or ())
    return router


def _sources(document: Document) -> Sources:
    issuers = document.issuers.items()
    return Sources(
        keys={name: compile_key_source(name, section) for name, section in issuers if section.algorithms is not None},
        introspection={
            name: compile_introspection(name, section, section.introspection)
            for name, section in issuers
            if section.introspection is not None
        },
        consumers=tuple(compile_consumer(name, section) for name, section in document.consumers.items()),
        consumer_files=document.consumer_files,
        secret_stores=tuple(compile_secret_store(name, section) for name, section in document.secret_stores.items()),
        administration=compile_administration(document.admin) if document.admin else None,
        master_key=document.signing.master_key if document.signing else None,
    )


def _listeners(document: Document) -> tuple[Listener, ...]:
    listeners = [_listener(section) for section in document.listen]
    if document.status_listen is not None:
        listeners.append(Listener(*parse_address(document.status_listen), status_only=True))
    return tuple(listeners)


def _listener(section: ListenerSection) -> Listener:
    tls = Tls(section.tls.certificate, section.tls.private_key) if section.tls else None
    http2 = tls is not None if section.http2 is None else section.http2
    return Listener(*parse_address(section.address), tls=tls, http2=http2)
