"""The touch panel's page, served by the kiosk itself to its own browser."""
