"""An experiment as a declaration: its claims and what overturns them, its page written as text."""
