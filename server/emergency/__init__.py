"""非常用一覧: what the office needs on paper to go on when the server does not."""
