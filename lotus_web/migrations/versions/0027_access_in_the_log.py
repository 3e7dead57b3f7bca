"""People, roles, accounts, tokens, sessions, packs, proposals and lines of the audit log are entries of the log from here on.

No table changes; what was there before is recorded once, after the upgrade (services/events/adoption.py).
"""

from __future__ import annotations

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
