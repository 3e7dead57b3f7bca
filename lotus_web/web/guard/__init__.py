"""What stands before every page: access, features, drafts, storable forms, errors and the refusal log."""
