"""One page of HTML in which precisions are moved by hand: `pcmodel explore`.

- `page`     the page as one string, and its file
- `tables`   every number that the page has from the package
- `therapy`  the simulated people of its last scene
- `assets`   mathematics (`chain`, `settle`, `dose`, `accounts`, `course`), scenes and style; no library of others
- `data`     trained weights and simulated people, made by `tools/explorer_*.py`

The page is complete in itself: it asks for nothing from the network. Its mathematics is checked against the package's.

May import: `inputs`, `record`, `neuromodulation`, `sessions`.
"""

from pcmodel.explorer.page import make_page as make_page
from pcmodel.explorer.page import write_page as write_page
