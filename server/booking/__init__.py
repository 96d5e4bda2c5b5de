"""予約: places, holds and bookings."""
