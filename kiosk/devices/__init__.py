"""The kiosk's devices: narrow ports, their real drivers, and their twins for demo and tests."""
