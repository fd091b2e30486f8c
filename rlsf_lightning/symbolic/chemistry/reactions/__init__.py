"""Named reactions as reaction SMARTS: what they make of given molecules, and where that is not certain."""
