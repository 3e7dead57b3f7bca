"""Tables, one file an aggregate; importing this package registers all of them."""

from lotus_web.models.accounts import ApiToken, Person, PersonRole, PersonSession, ServiceAccount, SignInFailure
from lotus_web.models.audit import AuditRecord
from lotus_web.models.decisions import Decision, DecisionEvidence
from lotus_web.models.deliveries import Delivery
from lotus_web.models.events.log import EventLogEntry, TenantRuntime
from lotus_web.models.idempotency import IdempotencyHistoryRow, IdempotencyKey
from lotus_web.models.inbox import SavedView
from lotus_web.models.item_actions import WorkflowAction
from lotus_web.models.items import WorkflowItem
from lotus_web.models.jobs import JobRun, SchedulerLease
from lotus_web.models.lineage import LineageEdge
from lotus_web.models.notifications import Notification, NotificationRead
from lotus_web.models.operations import Operation, OperationPayload, OperationStep, RetentionEntry
from lotus_web.models.policy_packs import StoredPolicyPack
from lotus_web.models.proposals import (
    Proposal,
    ProposalApproval,
    ProposalDocument,
    ProposalEventRow,
    ProposalKey,
    ProposalSimulation,
    ProposalVersion,
)
from lotus_web.models.runs import Run, RunArtifact, RunPayload
from lotus_web.models.sign_in import AnsweredChallenge, Passkey, RecoveryCode
from lotus_web.models.support import StoreCounter
from lotus_web.models.transparency import LogCheckpoint, LogCosignature, LogKey, LogTile

__all__ = [
    "AnsweredChallenge",
    "ApiToken",
    "AuditRecord",
    "Decision",
    "DecisionEvidence",
    "Delivery",
    "EventLogEntry",
    "IdempotencyHistoryRow",
    "IdempotencyKey",
    "JobRun",
    "LineageEdge",
    "LogCheckpoint",
    "LogCosignature",
    "LogKey",
    "LogTile",
    "Notification",
    "NotificationRead",
    "Operation",
    "OperationPayload",
    "OperationStep",
    "Passkey",
    "Person",
    "PersonRole",
    "PersonSession",
    "Proposal",
    "ProposalApproval",
    "ProposalDocument",
    "ProposalEventRow",
    "ProposalKey",
    "ProposalSimulation",
    "ProposalVersion",
    "RecoveryCode",
    "RetentionEntry",
    "Run",
    "RunArtifact",
    "RunPayload",
    "SavedView",
    "SchedulerLease",
    "ServiceAccount",
    "SignInFailure",
    "StoreCounter",
    "StoredPolicyPack",
    "TenantRuntime",
    "WorkflowAction",
    "WorkflowItem",
]
