"""Write side of items: review items, their states and actions, and what a decision on one needs."""
