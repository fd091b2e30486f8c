"""Program repair by mutation: the small change with which a program passes its tests."""
