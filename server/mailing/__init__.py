"""後日郵送: cards that are sent by mail to people who were at a window."""
