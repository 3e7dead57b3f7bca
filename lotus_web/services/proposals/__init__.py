"""Write side of proposals: simulations, versions, transitions and approvals."""
