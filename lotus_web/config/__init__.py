"""Settings and their types, the features that are on, the policy in force, and the current settings of a request."""
