"""待ち・呼出: visits, tickets, calls and what the board shows."""
