"""見通し: how long people will wait, and until when the office will be busy."""
