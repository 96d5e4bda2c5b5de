"""窓口業務: the staff screen at a window."""
