"""Reading of recordings: series of regions from files, and the network of each region.

- `tables`       .csv and .tsv, times by regions
- `arrays`       .npy and .npz with named axes
- `bids_names`   the entities of a file's name, and the files of a folder
- `conditions`   whose recording it is, and in which condition
- `labels`       the network of each region
- `study`        all of a study's recordings, of the same regions

May import: what `brain` may.
"""

from pcmodel.brain.reading.labels import Labels as Labels
from pcmodel.brain.reading.labels import read_labels as read_labels
from pcmodel.brain.reading.study import Recording as Recording
from pcmodel.brain.reading.study import StudyData as StudyData
from pcmodel.brain.reading.study import load_recordings as load_recordings
