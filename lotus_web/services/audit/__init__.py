"""Write side of audit: who did what, refusals, verification of the chain, and exports with proof."""
