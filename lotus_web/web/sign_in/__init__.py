"""Pages for signing in and out, and for moving between tenants."""
