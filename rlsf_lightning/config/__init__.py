"""From a command line to checked values: recipes, their schema, extension points. Imports no torch and builds nothing."""
