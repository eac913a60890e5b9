"""One file a command: its arguments, its plan, and the parts of the experiment that it runs."""
