"""What a fitted posterior says, and whether it may be believed."""
