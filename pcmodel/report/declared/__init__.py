"""An experiment as a declaration: its claims with their sensitivity to parameters, its page written as text."""
