"""お知らせ: contacts and what is to be sent to them."""
