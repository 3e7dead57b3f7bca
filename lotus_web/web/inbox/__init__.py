"""Pages of inbox: lists of review items and saved views."""
