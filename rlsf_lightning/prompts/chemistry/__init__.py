"""Chemistry prompts: real molecules of the package ``chemicals``, named reactions between them, and sentences on them."""
