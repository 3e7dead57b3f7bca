"""The routes of proposals: simulations, the lifecycle, and what support looks up (proposals-api §1)."""
