"""Read side of decisions: the gate of a run and its approvals, rejections and requests for changes."""
