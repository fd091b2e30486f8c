"""A grammar of Lark as an LALR table with its contextual lexers."""
