"""事前準備一覧: whose cards the back room lays out for the next open day."""
