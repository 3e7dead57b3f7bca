"""Request plumbing that pages and JSON share: ids, limits, time-outs, statuses, the refusal log and the request log."""
