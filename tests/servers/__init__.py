"""Real servers for tests, and how long tests wait for what they do."""
