"""LALR grammars of Lark: parse table and contextual lexers."""
