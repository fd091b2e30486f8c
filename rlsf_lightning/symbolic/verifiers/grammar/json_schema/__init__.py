"""JSON Schema: what a document breaks by ``jsonschema``, and whether an unfinished one can still satisfy it."""
