"""The kiosk at the entrance: it scans, asks the server, prints, shows. It knows no rules of the office."""
