"""Since when someone has a role: what the role was told before is not news to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Of roles given before this was kept, the day on which the person was made is the best that is known.
GIVEN = "UPDATE person_roles SET given_at = (SELECT created_at FROM people WHERE people.name = person_roles.name)"


def upgrade() -> None:
    op.add_column("person_roles", sa.Column("given_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(GIVEN)


def downgrade() -> None:
    op.drop_column("person_roles", "given_at")
