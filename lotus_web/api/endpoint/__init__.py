"""What every JSON route shares: routing, access, inputs, bodies, refusals and the write policy."""
