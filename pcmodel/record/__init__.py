"""The record of a run: a folder in which every file is written atomically.

- `strict_json`   strict JSON of dataclasses, named tuples and arrays
- `files`         atomic writes
- `arrays`        a tree of arrays as one .npz, and back
- `leaves`        a training state as named arrays with checksums, and back
- `checkpoints`   checkpoints of training
- `metrics`       measurements of training, appended line by line
- `replications`  results of long computations, one file each
- `processes`     whether a process still runs; locks
- `environment`   versions, device, revision
- `folder`        the run folder and its status

May import: `inputs`.
"""

from pcmodel.record.arrays import flatten_arrays as flatten_arrays
from pcmodel.record.arrays import read_arrays as read_arrays
from pcmodel.record.files import write_arrays as write_arrays
from pcmodel.record.files import write_bytes as write_bytes
from pcmodel.record.files import write_json as write_json
from pcmodel.record.folder import RunFolder as RunFolder
from pcmodel.record.folder import RunIdentity as RunIdentity
from pcmodel.record.strict_json import dump_json as dump_json
from pcmodel.record.strict_json import to_jsonable as to_jsonable
