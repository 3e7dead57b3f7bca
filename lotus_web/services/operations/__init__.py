"""Write side of operations: durable work that is submitted, leased, renewed and finished."""
