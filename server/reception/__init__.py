"""受付: a person arrives."""
