"""交付通知書: the notices with which residents book and come."""
