"""Pages of proposals: finding, making and deciding them, and comparing their versions."""
