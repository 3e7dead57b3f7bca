"""Write side of deliveries: planned with what they tell, claimed, sent and marked."""
