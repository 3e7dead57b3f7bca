"""Advisory simulation: what an adviser proposes, funded, valued, checked and explained (proposals-api §5)."""
