"""見通し: how long people will wait."""
