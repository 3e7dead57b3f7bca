"""Read side of idempotency: which request a key was used for, and its history."""
