"""Networks that users build: layers, architectures and files. The only part that imports flax.

May import: `inputs`, `runtime`, `model`, `record`.
"""
