"""The linear solve inside Gauss-Newton: direct and iterative, always measured."""
