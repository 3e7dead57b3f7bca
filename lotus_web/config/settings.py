"""Every setting with its default and its allowed values, read from the environment at each use (commands.md, delta 19)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from lotus_web.config.delivery_settings import DeliverySettings
from lotus_web.config.log_settings import LogSettings
from lotus_web.config.proposal_settings import ProposalSettings
from lotus_web.config.secret_strength import estimated_bits
from lotus_web.config.setting_types import BadSetting, Setting, choice, flag, line, names, seconds, text, whole, words
from lotus_web.config.sign_in_settings import SignInSettings
from lotus_web.domain.access import REVIEWING_ROLES
from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue, parse_catalogue
from lotus_web.domain.events.payloads import SLA_HOURS_MAX
from lotus_web.domain.policy_packs import parse_tenant_packs
from lotus_web.domain.write_policy import CapabilityRules, parse_capability_rules

__all__ = ["BadSetting", "Settings"]

SECRET_KEY_MIN_BYTES = 32
SECRET_KEY_MIN_BITS = 80
# The longest durations: added to or subtracted from the current time, each gives a time that every store can hold.
HOURS_MAX = SLA_HOURS_MAX
MINUTES_MAX = HOURS_MAX * 60
DAYS_MAX = 36_500
LASTING_STORE = "SQLITE or SQL (what is kept IN_MEMORY ends with the process, so it is for development only)"
PRODUCTION_STORE = "LOCAL, or PRODUCTION with DPM_SUPPORTABILITY_STORE_BACKEND=SQL and a PostgreSQL URL in DPM_SUPPORTABILITY_DATABASE_URL"


class Settings(ProposalSettings, DeliverySettings, LogSettings, SignInSettings):
    """A typed view of an environment mapping that follows its changes; ``from_environ`` checks every value once."""

    environment = choice(
        "LOTUS_ENV", "development", ("development", "production"), "production: secure cookies, HSTS, no demo accounts"
    )
    secret_key = text("LOTUS_SECRET_KEY", "", "signs the session cookie", secret=True, min_bytes=SECRET_KEY_MIN_BYTES)
    api_auth = choice(
        "LOTUS_API_AUTH", "required", ("required", "disabled"), "disabled: tenant default, development only"
    )
    jobs = choice("LOTUS_JOBS", "off", ("embedded", "external", "off"), "who runs the scheduled jobs")
    trusted_proxies = whole(
        "LOTUS_TRUSTED_PROXIES", 0, "reverse proxies in front, for the client address", low=0, high=5
    )
    session_idle_minutes = whole(
        "LOTUS_SESSION_IDLE_MINUTES", 60, "a session ends after this long without activity", high=MINUTES_MAX
    )
    session_hours = whole("LOTUS_SESSION_HOURS", 12, "the longest that a session lasts", high=HOURS_MAX)

    store_backend = choice(
        "DPM_SUPPORTABILITY_STORE_BACKEND",
        "IN_MEMORY",
        ("IN_MEMORY", "SQLITE", "SQL"),
        "where data is stored; IN_MEMORY: not in production",
    )
    sqlite_path = text("DPM_SUPPORTABILITY_SQLITE_PATH", "instance/lotus.db", "the file of the SQLITE backend")
    database_url = text("DPM_SUPPORTABILITY_DATABASE_URL", "", "the SQLAlchemy URL of the SQL backend", secret=True)
    persistence_profile = choice(
        "APP_PERSISTENCE_PROFILE", "LOCAL", ("LOCAL", "PRODUCTION"), "PRODUCTION: no start without PostgreSQL"
    )
    database_pool_size = whole("LOTUS_DATABASE_POOL_SIZE", 16, "the most database connections of a process", high=200)

    support_apis_enabled = flag("DPM_SUPPORT_APIS_ENABLED", True, "RFC-0017 look-ups")
    summary_apis_enabled = flag("DPM_SUPPORTABILITY_SUMMARY_APIS_ENABLED", True, "RFC-0023 summary")
    support_bundle_apis_enabled = flag("DPM_SUPPORT_BUNDLE_APIS_ENABLED", True, "RFC-0023 support bundle")
    artifacts_enabled = flag("DPM_ARTIFACTS_ENABLED", True, "RFC-0019 artifact route")
    artifact_store_mode = choice(
        "DPM_ARTIFACT_STORE_MODE",
        "DERIVED",
        ("DERIVED", "PERSISTED"),
        "build artifacts when they are read, or store them",
    )
    lineage_apis_enabled = flag("DPM_LINEAGE_APIS_ENABLED", False, "RFC-0023 lineage")
    idempotency_history_apis_enabled = flag("DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED", False, "RFC-0023 key history")
    idempotency_replay_enabled = flag("DPM_IDEMPOTENCY_REPLAY_ENABLED", True, "answer a repeated key from the store")
    workflow_enabled = flag("DPM_WORKFLOW_ENABLED", False, "RFC-0020 gate")
    workflow_review_statuses = names(
        "DPM_WORKFLOW_REQUIRES_REVIEW_FOR_STATUSES",
        ("PENDING_REVIEW",),
        ("READY", "PENDING_REVIEW", "BLOCKED"),
        "run statuses that need a review",
    )
    retention_days = whole(
        "DPM_SUPPORTABILITY_RETENTION_DAYS",
        0,
        "age at which runs and ended proposals are purged; 0 = never",
        low=0,
        high=DAYS_MAX,
    )
    async_operations_enabled = flag("DPM_ASYNC_OPERATIONS_ENABLED", True, "RFC-0018 operations")
    async_manual_execution_enabled = flag("DPM_ASYNC_MANUAL_EXECUTION_ENABLED", True, "execute operations manually")
    async_execution_mode = choice(
        "DPM_ASYNC_EXECUTION_MODE",
        "INLINE",
        ("INLINE", "ACCEPT_ONLY"),
        "run operations at once, or leave them to the jobs process",
    )
    async_operations_ttl_seconds = whole(
        "DPM_ASYNC_OPERATIONS_TTL_SECONDS",
        86400,
        "age at which finished operations are deleted",
        high=DAYS_MAX * 86_400,
    )
    operation_lease_seconds = whole(
        "LOTUS_OPERATION_LEASE_SECONDS", 30, "time without a heartbeat after which a worker counts as lost", high=3600
    )
    operation_max_attempts = whole(
        "LOTUS_OPERATION_MAX_ATTEMPTS", 3, "attempts until an operation is FAILED with WORKER_LOST"
    )

    max_write_payload_bytes = whole(
        "ENTERPRISE_MAX_WRITE_PAYLOAD_BYTES", 1024 * 1024, "the longest body of a request or form", high=2**30
    )
    policy_version = line(
        "ENTERPRISE_POLICY_VERSION", "1.0.0", "the header X-Enterprise-Policy-Version of every response"
    )
    enforce_authz = flag(
        "ENTERPRISE_ENFORCE_AUTHZ",
        False,
        "JSON writes must name actor, tenant, role and service, in addition to the token",
    )
    capability_rules = Setting[CapabilityRules](
        "ENTERPRISE_CAPABILITY_RULES_JSON",
        {},
        parse_capability_rules,
        'JSON: {"POST /rebalance/simulate": "capability", …}',
        "what writes need in X-Capabilities when enforced; the longest matching path applies",
    )

    policy_packs_enabled = flag("DPM_POLICY_PACKS_ENABLED", False, "options that override a request's own")
    default_policy_pack_id = text(
        "DPM_DEFAULT_POLICY_PACK_ID", "", "the pack used when neither request nor tenant names one"
    )
    tenant_policy_packs_enabled = flag(
        "DPM_TENANT_POLICY_PACK_RESOLUTION_ENABLED", False, "a tenant's own pack takes precedence over the default"
    )
    tenant_policy_packs = Setting[Mapping[str, str]](
        "DPM_TENANT_POLICY_PACK_MAP_JSON",
        {},
        parse_tenant_packs,
        'JSON: {"tenant": "pack id", …}',
        "the pack of each tenant",
    )
    policy_pack_catalog = choice(
        "DPM_POLICY_PACK_CATALOG_BACKEND", "STORE", ("STORE",), "packs are stored with the runs"
    )

    exception_review_sla_hours = whole(
        "LOTUS_EXCEPTION_REVIEW_SLA_HOURS", 4, "time to decide an exception review", high=HOURS_MAX
    )
    incident_review_sla_hours = whole(
        "LOTUS_INCIDENT_REVIEW_SLA_HOURS",
        2,
        "time to decide an incident review whose event leaves sla_hours null",
        high=HOURS_MAX,
    )
    proposal_review_sla_hours = whole(
        "LOTUS_PROPOSAL_REVIEW_SLA_HOURS", 4, "time to decide the review of a proposal", high=HOURS_MAX
    )
    deadline_risk_warning_minutes = whole(
        "LOTUS_DEADLINE_RISK_WARNING_MINUTES", 30, "warning before the due time", high=MINUTES_MAX
    )
    default_assigned_role = choice(
        "LOTUS_DEFAULT_ASSIGNED_ROLE", "reviewer", REVIEWING_ROLES, "the role that new items are assigned to"
    )
    escalation_assigned_role = choice(
        "LOTUS_ESCALATION_ASSIGNED_ROLE", "manager", REVIEWING_ROLES, "the role that escalated items are assigned to"
    )
    escalation_assigned_account_id = text(
        "LOTUS_ESCALATION_ASSIGNED_ACCOUNT_ID", "", "a person instead of the role, if they may review"
    )
    sla_sweep_seconds = whole("LOTUS_SLA_SWEEP_SECONDS", 30, "how often due times are checked", high=3600)
    jobs_lease_seconds = whole(
        "LOTUS_JOBS_LEASE_SECONDS",
        15,
        "time without a heartbeat after which another process leads the jobs",
        low=3,
        high=3600,
    )
    claim_minutes = whole("LOTUS_CLAIM_MINUTES", 30, "how long a claim lasts without activity", high=MINUTES_MAX)
    four_eyes = flag("LOTUS_FOUR_EYES", True, "the submitter of a run may not approve it")
    four_eyes_exempt_tenants = words(
        "LOTUS_FOUR_EYES_EXEMPT_TENANTS", "tenants with a single reviewer; each use is recorded in the audit log"
    )
    require_evidence = flag(
        "LOTUS_REQUIRE_EVIDENCE", False, "a decision must carry the digest of the evidence that was shown"
    )
    reason_codes = Setting[Catalogue](
        "LOTUS_REASON_CODES",
        REASON_CODES,
        parse_catalogue,
        'JSON: {"approve": [{"code": "WITHIN_MANDATE", "text": "…", "needs_comment": false}], …}',
        "the reasons for decisions; if set, forms and /api/v1 accept no others",
    )
    metrics_access = choice(
        "LOTUS_METRICS_ACCESS",
        "auto",
        ("auto", "public", "token"),
        "who may read GET /metrics: everyone, or a token with runs_read; auto: everyone in development only",
    )
    log_format = choice("LOTUS_LOG_FORMAT", "auto", ("auto", "json", "console"), "auto: json in production")

    # The web server reads these once, when it starts (gunicorn.conf.py).
    port = whole("PORT", 8000, "the port on 127.0.0.1, read at the start; 0: any free one", low=0, high=65_535)
    bind = text(
        "LOTUS_BIND", "", "where to listen instead of 127.0.0.1 and PORT, such as 0.0.0.0:8000; read at the start"
    )
    web_workers = whole(
        "WEB_CONCURRENCY", 2, "web processes, read at the start; always 1 on an IN_MEMORY store", high=256
    )
    web_threads = whole("LOTUS_WEB_THREADS", 8, "threads of a web process, read at the start", high=256)
    request_seconds = seconds(
        "LOTUS_BODY_SECONDS",
        10,
        "the time that a client has to send the head of a request, and again its body (408), and may pause while it reads; read at the start",
        low=0.1,
        high=3600,
    )
    server_log_level = choice(
        "LOTUS_GUNICORN_LOG_LEVEL",
        "warning",
        ("debug", "info", "warning", "error", "critical"),
        "what the web server itself logs, read at the start",
    )
    hangup = choice(
        "LOTUS_HANGUP",
        "restart",
        ("restart", "stop"),
        "what SIGHUP does to the web server, read at the start; stop: end, as when a terminal closes",
    )

    def __init__(self, environ: Mapping[str, str]):
        self.environ = environ

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Return the view after checking every value; raises BadSetting for the first that is not allowed."""
        settings = cls(os.environ if environ is None else environ)
        for setting in cls.all():
            setting.read(settings.environ)
        settings.check_together()
        return settings

    @classmethod
    def all(cls) -> Iterator[Setting[object]]:
        """Yield every declared setting in the order of this file, then those of proposals and deliveries."""
        for kind in cls.__mro__:
            yield from (value for value in vars(kind).values() if isinstance(value, Setting))

    def check_together(self) -> None:
        """Check values that are allowed one by one but not in combination; raises BadSetting."""
        if self.production:
            if not self.secret_key:
                raise BadSetting("LOTUS_SECRET_KEY", "", "a secret of at least 32 bytes (required in production)")
            if estimated_bits(self.secret_key) < SECRET_KEY_MIN_BITS:
                raise BadSetting("LOTUS_SECRET_KEY", "…", "32 random bytes or more (this one could be guessed)")
            if self.store_backend == "IN_MEMORY":
                raise BadSetting("DPM_SUPPORTABILITY_STORE_BACKEND", self.store_backend, LASTING_STORE)
            if self.api_auth == "disabled":
                raise BadSetting("LOTUS_API_AUTH", "disabled", "required (disabled is for development only)")
        if self.store_backend == "SQL" and not self.database_url:
            raise BadSetting("DPM_SUPPORTABILITY_DATABASE_URL", "", "a SQLAlchemy URL (the SQL backend needs one)")
        on_postgresql = self.store_backend == "SQL" and self.database_url.startswith("postgresql")
        if self.persistence_profile == "PRODUCTION" and not on_postgresql:
            raise BadSetting("APP_PERSISTENCE_PROFILE", "PRODUCTION", PRODUCTION_STORE)

    @property
    def production(self) -> bool:
        """True in a production environment."""
        return self.environment == "production"

    @property
    def listen_address(self) -> str:
        """Where the web server listens, as gunicorn takes it: ``host:port``, ``unix:path`` or ``fd://number``."""
        return self.bind or f"127.0.0.1:{self.port}"

    @property
    def web_processes(self) -> int:
        """How many web processes to start: one on an IN_MEMORY store, since each would have a store of its own."""
        return 1 if self.store_backend == "IN_MEMORY" else self.web_workers

    @property
    def executes_inline(self) -> bool:
        """True if an operation is run at once by the process that accepts it; otherwise it waits for the jobs process."""
        return self.async_execution_mode == "INLINE"

    @property
    def artifacts_are_persisted(self) -> bool:
        """True if an artifact is stored with its run; otherwise it is built when it is read."""
        return self.artifact_store_mode == "PERSISTED"

    @property
    def metrics_public(self) -> bool:
        """True if GET /metrics needs no token."""
        access = self.metrics_access
        return access == "public" or (access == "auto" and not self.production)
