"""The grammar that programs are drawn from: expressions, updates of a result, and whole programs around them."""
