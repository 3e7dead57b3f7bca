"""What every page is wrapped in: links, assets, downloads, query arguments and security headers."""
