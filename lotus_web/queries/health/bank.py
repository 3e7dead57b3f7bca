"""The checklist for a bank (docs/security.md): settings that weaken a control are wrong here, though they may be right elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.engine import make_url

from lotus_web.config.settings import Settings
from lotus_web.domain.sign_in.methods import EVERYONE
from lotus_web.queries.health.findings import Finding, State

MOST_IDLE_MINUTES = 30
MOST_SESSION_HOURS = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list: the settings that it is about, what holds if it is met, and how to meet it."""

    settings: tuple[str, ...]
    says: str
    mend: str
    is_met: Callable[[Settings], bool]


def _has_verified_tls(settings: Settings) -> bool:
    if settings.store_backend != "SQL":
        return False
    url = make_url(settings.database_url)
    return url.get_backend_name() == "postgresql" and url.query.get("sslmode") == "verify-full"


CHECKLIST = (
    Line(
        ("LOTUS_ENV",),
        "The environment is production: secure cookies, HSTS, a strong secret key, no demo accounts.",
        "Set LOTUS_ENV to production.",
        lambda settings: settings.production,
    ),
    Line(
        ("LOTUS_API_AUTH",),
        "Every call of the JSON routes needs a token.",
        "Leave LOTUS_API_AUTH at its default.",
        lambda settings: settings.api_auth != "disabled",
    ),
    Line(
        ("DPM_SUPPORTABILITY_STORE_BACKEND", "DPM_SUPPORTABILITY_DATABASE_URL"),
        "The store is PostgreSQL, reached with TLS that checks the certificate and the name.",
        "Set the backend to SQL and add sslmode=verify-full and sslrootcert=… to DPM_SUPPORTABILITY_DATABASE_URL.",
        _has_verified_tls,
    ),
    Line(
        ("LOTUS_FOUR_EYES", "PROPOSAL_FOUR_EYES"),
        "Nobody decides on what they are behind: runs, reviews and proposals.",
        "Leave LOTUS_FOUR_EYES and PROPOSAL_FOUR_EYES at true.",
        lambda settings: settings.four_eyes and settings.proposal_four_eyes,
    ),
    Line(
        ("LOTUS_FOUR_EYES_EXEMPT_TENANTS",),
        "No tenant is exempt from four eyes.",
        "Leave LOTUS_FOUR_EYES_EXEMPT_TENANTS empty.",
        lambda settings: not settings.four_eyes_exempt_tenants,
    ),
    Line(
        ("LOTUS_SECOND_FACTOR",),
        "Everyone needs a second factor.",
        "Set LOTUS_SECOND_FACTOR to everyone.",
        lambda settings: EVERYONE in settings.second_factor,
    ),
    Line(
        ("LOTUS_SIGN_DECISIONS",),
        "Decisions are signed.",
        "Set LOTUS_SIGN_DECISIONS to override or all.",
        lambda settings: settings.sign_decisions != "off",
    ),
    Line(
        ("LOTUS_REQUIRE_EVIDENCE",),
        "A decision names the evidence that was shown.",
        "Set LOTUS_REQUIRE_EVIDENCE to true.",
        lambda settings: settings.require_evidence,
    ),
    Line(
        ("LOTUS_LOG_KEY_FILE", "LOTUS_CHECKPOINT_DIR"),
        "Checkpoints of the log are signed, and kept outside the store.",
        "Set LOTUS_LOG_KEY_FILE and LOTUS_CHECKPOINT_DIR for the jobs.",
        lambda settings: bool(settings.log_key_file and settings.checkpoint_dir),
    ),
    Line(
        ("LOTUS_WITNESSES",),
        "Somebody outside this deployment signs the checkpoints too.",
        "Name one or more witnesses in LOTUS_WITNESSES.",
        lambda settings: bool(settings.witnesses),
    ),
    Line(
        ("LOTUS_SESSION_IDLE_MINUTES", "LOTUS_SESSION_HOURS"),
        f"Sessions end after {MOST_IDLE_MINUTES} idle minutes and {MOST_SESSION_HOURS} hours at the latest.",
        "Lower LOTUS_SESSION_IDLE_MINUTES and LOTUS_SESSION_HOURS.",
        lambda settings: (
            settings.session_idle_minutes <= MOST_IDLE_MINUTES and settings.session_hours <= MOST_SESSION_HOURS
        ),
    ),
    Line(
        ("LOTUS_METRICS_ACCESS",),
        "Metrics need a token.",
        "Set LOTUS_METRICS_ACCESS to auto or token.",
        lambda settings: not settings.metrics_public,
    ),
)


def bank_findings(settings: Settings) -> Iterator[Finding]:
    """Yield the finding of each line of the checklist."""
    for line in CHECKLIST:
        if line.is_met(settings):
            yield Finding("bank", State.OK, line.says)
        else:
            yield Finding("bank", State.WRONG, f"Not so: {line.says}", line.mend)
