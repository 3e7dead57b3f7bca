"""The suite: unit (no store), contract and integration (both stores), browser (Chromium), architecture (the rules of the tree)."""
