"""One file a page: the report of each command."""
