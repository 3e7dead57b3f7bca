"""What a computed result means: rules, reconciliation and the gate."""
