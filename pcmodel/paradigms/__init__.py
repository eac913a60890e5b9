"""Evidence streams, and what is measured of a belief that meets them."""
