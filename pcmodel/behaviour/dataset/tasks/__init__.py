"""What a task and its columns are, and the tasks of decisions. It knows nothing else of the package's parts."""
