"""Logging: one line per request and per event, JSON in production, text in development; no payloads, no secrets.

Other modules log with ``structlog.get_logger()`` or ``logging``: both end here, and during a request every line carries its
ids, tenant and account.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, merge_contextvars
from structlog.typing import Processor

from lotus_web.config.settings import Settings
from lotus_web.domain.access import Actor
from lotus_web.domain.free_text import escaped

FRAMES = 12
LOG = structlog.get_logger("lotus_web")


class StderrLines(logging.Handler):
    """Writes to whatever ``sys.stderr`` is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as one line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # a log that cannot be written must not take the request down
            self.handleError(record)


def configure_logging(settings: Settings) -> None:
    """Set up logging for this process; a second call replaces the first."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and settings.production)
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    _install(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(as_json)))


def _rendering(as_json: bool) -> list[Processor]:
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_json:
        return [drop, redact_exception, structlog.processors.JSONRenderer(default=str)]
    return [drop, redact_exception, escape_texts, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


def redact_exception(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace a logged exception, a library's too, by its class and code locations."""
    given = line.pop("exc_info", None)
    line.pop("stack_info", None)
    error = given if isinstance(given, BaseException) else (given if isinstance(given, tuple) else sys.exc_info())[1]
    if given and error is not None:
        line.update(exception_facts(error))
    return line


def escape_texts(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write what no terminal may obey, and no line may be broken by, as escapes; JSON does so anyway."""
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = escaped(value)
    return line


class RedactExceptionFilter(logging.Filter):
    """The same for a logger with handlers of its own, such as the web server's."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass every record, without its exception."""
        if record.exc_info and record.exc_info[1] is not None:
            facts = exception_facts(record.exc_info[1])
            record.msg, record.args = f"{record.getMessage()}: {facts['error']} at {facts['where'][-1:]}", ()
        record.msg, record.args = escaped(record.getMessage()), ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def _install(formatter: logging.Formatter) -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, StderrLines)]:
        root.removeHandler(handler)
    handler = StderrLines()
    handler.setFormatter(formatter)
    root.addHandler(handler)
    logging.getLogger("lotus_web").setLevel(logging.INFO)


def name_actor(actor: Actor) -> None:
    """Add the tenant and account to every log line of this request; called by the guards."""
    bind_contextvars(tenant=actor.tenant_id, account=actor.actor_id)


def log_unexpected(error: BaseException, event: str = "unexpected_error", **facts: str) -> None:
    """Log an unexpected error by its class and code locations, with ids in ``facts``.

    Its text is left out, as it may quote a request or stored data: no other module logs an exception itself.
    """
    LOG.error(event, **exception_facts(error), **facts)


def exception_facts(error: BaseException) -> dict[str, Any]:
    """Return what is logged of an exception: its class, and its last code locations."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": f"{type(error).__module__}.{type(error).__qualname__}", "where": where}
