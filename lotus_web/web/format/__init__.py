"""Values, names, permissions, sentences and links in the words of pages."""
