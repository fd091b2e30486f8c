"""OPSIN: where it is, its command line, and a long-lived process of it."""
