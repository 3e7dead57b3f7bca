"""Proposals: their states, what may follow on what, and the approvals that lead on (proposals-api §3)."""
