"""What a JSON route declares, and the one order in which it is checked.

``@endpoint(…)`` says who may call a route, which features it belongs to, what it takes, gives and refuses; ``ApiBlueprint``
takes no view without it. Each call goes: declared size 413, for writes the enterprise policy 403, token 401/403, only then the
body (413, 408), features 404, inputs 422 (all together), then the view, which looks up (404) and acts (409). The OpenAPI
document is drawn from the same declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, RequestTimeout

from lotus_web.api.endpoint.auth import caller, known_caller
from lotus_web.api.endpoint.inputs import HeaderParam, read_inputs
from lotus_web.api.endpoint.json_body import check_declared_size, check_sent_size
from lotus_web.api.endpoint.refusals import JSON, Envelope, InvalidRequest, Refusal, sentence_of
from lotus_web.config import current
from lotus_web.config.features import Feature
from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.errors import InvalidInput, LotusError, NotFound
from lotus_web.domain.surface import Surface
from lotus_web.http.command import request_context
from lotus_web.http.path_ids import sent_path
from lotus_web.http.refusal_log import RECORDED_AS, record_refusal_of_request
from lotus_web.http.request_ids import current_ids
from lotus_web.http.responses import utf8_json
from lotus_web.services.command import CommandContext
from lotus_web.store.failures import as_store_unavailable
from lotus_web.telemetry.logs import log_unexpected, name_actor

PAYLOAD_TOO_LARGE = "payload_too_large"
REQUEST_TIMEOUT = "request_timeout"
DECLARED = "__lotus_endpoint__"
ENVELOPE = "__lotus_envelope__"
MOUNTS = "lotus_api_mounts"

View = Callable[..., BaseModel | Response]
Declare = Callable[[View], Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Refuses:
    """A refusal that a route documents, beyond those that every route has."""

    status: int
    code: str
    when: str


class AnyToken(Enum):
    """In place of a permission: any valid token is accepted, and the view checks the permission."""

    ANY = "any token"


@dataclass(frozen=True, slots=True)
class PublicIf:
    """Opens a route that otherwise needs a token to everyone: a property of Settings, and the setting behind it."""

    setting: str
    named: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Everything that is declared of a route; ``permission`` None means that anyone may call it.

    ``recorded_as`` is the action that the audit log stores for a refused call; None stores the names of blueprint and view.
    ``without_store`` answers every token while the store is away: the view then gets no call.
    """

    summary: str
    permission: Permission | AnyToken | None
    features: tuple[Feature, ...]
    headers: tuple[HeaderParam, ...]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    response: type[BaseModel]
    status: int
    also: tuple[int, ...]
    refuses: tuple[Refuses, ...]
    example: object
    opened: PublicIf | None = None
    recorded_as: str | None = None
    without_store: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a route, let in and validated."""

    actor: Actor
    correlation_id: str
    headers: Mapping[str, str | None]
    now: datetime
    surface: Surface

    def context(self, actor: Actor | None = None) -> CommandContext:
        """Return the context of the call's command, given by ``actor`` where that is not the caller."""
        return request_context(actor or self.actor, self.surface, now=self.now)


def endpoint(
    summary: str,
    *,
    permission: Permission | AnyToken | None,
    response: type[BaseModel],
    features: tuple[Feature, ...] = (),
    headers: tuple[HeaderParam, ...] = (),
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    status: int = 200,
    also: tuple[int, ...] = (),
    refuses: tuple[Refuses, ...] = (),
    example: object = None,
    opened: PublicIf | None = None,
    recorded_as: str | None = None,
    without_store: bool = False,
) -> Declare:
    """Declare a route.

    The view is called with the path values by name and, where they apply, ``call`` (unless public), ``query`` and
    ``body``; it returns a model of ``response``, or a ready Response where it sends stored bytes or the status varies.
    """
    about = (summary, permission, features, headers, query, body, response, status, also, refuses, example)
    declared = Endpoint(*about, opened, recorded_as, without_store)

    def declare(view: View) -> Callable[..., Any]:
        setattr(view, DECLARED, declared)
        return view

    return declare


def declaration(view: object) -> Endpoint | None:
    """Return what is declared of a view, None for one that is no JSON route."""
    found = getattr(view, DECLARED, None)
    return found if isinstance(found, Endpoint) else None


def envelope_of(view: object) -> Envelope:
    """Return the envelope that a declared view answers in."""
    found: Envelope = getattr(view, ENVELOPE)
    return found


class ApiBlueprint(Blueprint):
    """A blueprint whose every route is declared; it may be mounted under several prefixes."""

    def __init__(self, name: str, import_name: str, *, envelope: Envelope | None = None):
        super().__init__(name, import_name)
        self.envelope = envelope or Envelope()

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a declared view; raises TypeError for one that is not declared."""
        declared = declaration(view_func)
        if declared is None:
            raise TypeError(f"{rule} has no @endpoint: a route must say who may call it")
        name = endpoint or view_func.__name__
        route = declared.recorded_as or f"{self.name}_{view_func.__name__}"
        guarded = _guarded(view_func, declared, self.envelope, route=route)
        super().add_url_rule(rule, name, guarded, provide_automatic_options=False, merge_slashes=False, **options)

    def mount(self, app: Flask, prefix: str, *, name: str | None = None) -> None:
        """Serve this blueprint's routes under ``prefix``; what is unknown there answers in this blueprint's envelope."""
        app.register_blueprint(self, url_prefix=prefix, name=name or self.name)
        app.extensions.setdefault(MOUNTS, {}).setdefault(prefix, self.envelope)


def mounted_envelope() -> Envelope | None:
    """Return how the JSON prefix answers that this request is under, whether or not it has such a route."""
    mounts: dict[str, Envelope] = current_app.extensions.get(MOUNTS, {})
    fitting = [prefix for prefix in mounts if request.path == prefix or request.path.startswith(f"{prefix}/")]
    return mounts[max(fitting, key=len)] if fitting else None


def declared_routes(app: Flask) -> Iterator[tuple[str, frozenset[str], str, Endpoint]]:
    """Yield path pattern, methods, Flask endpoint and declaration of every JSON route, for the document and for tests."""
    for rule in app.url_map.iter_rules():
        declared = declaration(app.view_functions.get(rule.endpoint))
        if declared is not None:
            yield rule.rule, frozenset(rule.methods or ()) - {"HEAD"}, rule.endpoint, declared


def _guarded(view: View, declared: Endpoint, envelope: Envelope, *, route: str) -> Callable[..., Response]:
    def answer(**path_values: Any) -> Response:
        try:
            return _send(_called(view, declared, envelope, path_values), declared, envelope)
        except Exception as error:  # every fault of a route is answered here, so that none leaves without an envelope
            _log_refusal(error, envelope, route)
            return refusal_of(error, envelope).response()

    setattr(answer, DECLARED, declared)
    setattr(answer, ENVELOPE, envelope)
    setattr(answer, RECORDED_AS, route)
    return answer


def _log_refusal(error: Exception, envelope: Envelope, route: str) -> None:
    """Record the refusal of a known caller's request, once."""
    actor = known_caller()
    if actor is None:
        return
    if isinstance(error, InvalidRequest):
        error = InvalidInput("invalid_argument", sentence_of(error.problems))
    if isinstance(error, LotusError):
        record_refusal_of_request(error, actor=actor, surface=envelope.surface, route=route)


def _called(view: View, declared: Endpoint, envelope: Envelope, path_values: dict[str, Any]) -> BaseModel | Response:
    check_declared_size()
    now = current.utcnow()
    public = declared.permission is None or _is_open(declared.opened)
    actor = None if public else _let_in(declared, now)
    check_sent_size()
    _check_features(declared.features)
    inputs = read_inputs(headers=declared.headers, query=declared.query, body=declared.body)
    given: dict[str, Any] = {"query": inputs.query, "body": inputs.body}
    if actor is not None:
        given["call"] = Call(actor, current_ids().correlation_id, inputs.headers, now, envelope.surface)
    return view(**path_values, **{name: value for name, value in given.items() if value is not None})


def _let_in(declared: Endpoint, now: datetime) -> Actor | None:
    """Return the caller, who has the permission; None for a route ``without_store`` while the store that knows them is away."""
    try:
        actor = caller(now=now)
    except Exception as error:
        if declared.without_store and as_store_unavailable(error):
            return None
        raise
    name_actor(actor)
    if isinstance(declared.permission, Permission):
        check_permission(actor, declared.permission)
    return actor


def _is_open(opened: PublicIf | None) -> bool:
    return opened is not None and bool(getattr(current.settings(), opened.setting))


def _check_features(features: tuple[Feature, ...]) -> None:
    for feature in features:
        if not feature.is_on:
            raise NotFound(feature.code)


def _send(outcome: BaseModel | Response, declared: Endpoint, envelope: Envelope) -> Response:
    if isinstance(outcome, Response):
        return outcome
    return json_response(envelope.wrap(utf8_json(outcome)), status=declared.status)


def json_response(document: bytes, *, status: int = 200) -> Response:
    """Return JSON bytes as an answer."""
    answer = Response(document, status=status, content_type=JSON)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def refusal_of(error: Exception, envelope: Envelope) -> Refusal:
    """Return the answer to anything that can go wrong in a route."""
    if isinstance(error, InvalidRequest):
        return envelope.invalid(error.problems)
    if isinstance(error, RequestEntityTooLarge):
        return envelope.plain(413, PAYLOAD_TOO_LARGE)
    if isinstance(error, RequestTimeout):
        return envelope.plain(408, REQUEST_TIMEOUT)
    if isinstance(error, HTTPException):
        return envelope.plain(error.code or 400, error.name, allow(error))
    away = as_store_unavailable(error)
    if away is not None:
        return envelope.refuse(away)
    if isinstance(error, LotusError):
        return envelope.refuse(error)
    log_unexpected(error)
    return envelope.unexpected(path=sent_path(), correlation_id=current_ids().correlation_id)


def allow(error: HTTPException) -> dict[str, str]:
    """Return the ``Allow`` header of a 405, in a fixed order; nothing for any other."""
    if not isinstance(error, MethodNotAllowed):
        return {}
    return {"Allow": ", ".join(sorted(error.valid_methods or ()))}
