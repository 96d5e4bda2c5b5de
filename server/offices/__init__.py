"""庁舎・窓口・手続・開庁日: what an office is and when it is open."""
