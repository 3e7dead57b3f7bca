"""Rules of decisions: the gate of a run and the record of approvals, rejections and requests for changes."""
