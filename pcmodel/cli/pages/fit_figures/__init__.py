"""The pictures of a fit: one file a picture, and the sections of the page that show them."""
