"""予約なしの受付: whether people without a booking are received today."""
