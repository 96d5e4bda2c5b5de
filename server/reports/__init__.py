"""統計・帳票: figures of what was; no personal data."""
