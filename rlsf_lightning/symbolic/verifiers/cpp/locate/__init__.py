"""Narrower places for what is wrong: brackets and declarations behind errors, statements behind failing tests."""
