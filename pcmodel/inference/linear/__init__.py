"""Linear solves of Gauss-Newton steps, direct and iterative, with measured residuals."""
