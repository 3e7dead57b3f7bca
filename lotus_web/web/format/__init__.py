"""How values, names, permissions and links are shown on pages."""
