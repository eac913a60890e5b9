"""Networks as users build them: layers, architectures, files. The only part that imports flax.

May import: `inputs`, `runtime`, `model`, `record`.
"""
