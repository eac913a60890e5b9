"""What is inside inference and learning, one step at a time: energies, gradients, steps of inference, curvature, seeds.

May import what `api` may.
"""
