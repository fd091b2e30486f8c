"""JSON Schema: violations by ``jsonschema``, and three-valued validation of unfinished documents."""
