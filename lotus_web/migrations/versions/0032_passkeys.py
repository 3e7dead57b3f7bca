"""Passkeys, recovery codes, challenges that were answered, and how the person of a session signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0027"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "passkeys",
        sa.Column("passkey_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("credential_id", TEXT, nullable=False),
        sa.Column("user_handle", TEXT, nullable=False),
        sa.Column("public_key", TEXT, nullable=False),
        sa.Column("cose_key", TEXT, nullable=False),
        sa.Column("rp_id", TEXT, nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("removed_at", TIME, nullable=True),
        sa.Column("removed_by", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["name"], ["people.name"], name=op.f("fk_passkeys_name_people")),
        sa.PrimaryKeyConstraint("passkey_id", name=op.f("pk_passkeys")),
    )
    op.create_index("ix_passkeys_name", "passkeys", ["name"])
    op.create_index("ix_passkeys_credential_id", "passkeys", ["credential_id"], unique=True)
    op.create_table(
        "recovery_codes",
        sa.Column("code_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("code_hash", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["name"], ["people.name"], name=op.f("fk_recovery_codes_name_people")),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_name", "recovery_codes", ["name"])
    op.create_table(
        "answered_challenges",
        sa.Column("challenge_hash", TEXT, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("challenge_hash", name=op.f("pk_answered_challenges")),
    )
    op.create_index("ix_answered_challenges_expires", "answered_challenges", ["expires_at"])
    op.add_column("person_sessions", sa.Column("method", TEXT, nullable=True))


def downgrade() -> None:
    op.drop_column("person_sessions", "method")
    for table in ("answered_challenges", "recovery_codes", "passkeys"):
        op.drop_table(table)
