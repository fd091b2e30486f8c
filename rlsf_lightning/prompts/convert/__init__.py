"""Programs that turn published data sets, in the files in which they come, into JSON lines that ``data.path`` reads."""
