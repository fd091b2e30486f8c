"""SQLite: its tokens, its messages, and a database in memory that only reads."""
