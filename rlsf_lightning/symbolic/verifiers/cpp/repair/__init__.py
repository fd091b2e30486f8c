"""The small change with which a program passes its tests."""
