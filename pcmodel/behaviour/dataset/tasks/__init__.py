"""What a task and its columns are, and tasks in files of their own. It knows nothing else of the package's parts."""
