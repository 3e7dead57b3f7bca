"""The verdict on a computed result: rules, reconciliation and the gate."""
