"""Write side of operations: durable work: submitted, leased, kept alive and finished."""
