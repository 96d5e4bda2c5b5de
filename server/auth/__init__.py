"""Staff accounts, roles and devices: nothing is reachable without a right."""
