"""Read side of proposals: the list, one proposal with its versions, events and approvals, and its keys."""
