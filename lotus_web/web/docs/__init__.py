"""Pages of docs: the reference of the JSON routes."""
