"""Read side of support: the support summary, bundles and the support page."""
