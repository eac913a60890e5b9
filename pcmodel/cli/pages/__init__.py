"""One file a page: what a command's report shows and says."""
