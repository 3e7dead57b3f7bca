"""What every page shares before and after its view: access, features, drafts, form checks, errors, refusals."""
