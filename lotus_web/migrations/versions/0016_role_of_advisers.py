"""The role adviser, for people who make proposals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLE = "person_roles"
NAME = "ck_person_roles_role"
BEFORE = "role IN ('viewer', 'reviewer', 'manager', 'admin')"
AFTER = "role IN ('viewer', 'adviser', 'reviewer', 'manager', 'admin')"


def upgrade() -> None:
    _allow(AFTER)


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM person_roles WHERE role = 'adviser'"))
    _allow(BEFORE)


def _allow(condition: str) -> None:
    with op.batch_alter_table(TABLE) as batch_op:
        batch_op.drop_constraint(op.f(NAME), type_="check")
        batch_op.create_check_constraint(op.f(NAME), condition)
