"""A protocol: its parts as frozen dataclasses, its file, and the arms that every protocol has.

- `misplaced`  errors that name the place in a protocol
- `amounts`    a dose as text, "25 mg" or "0.3 mg/kg"
- `events`     evidence, sessions, daily life
- `arm`        an arm: how one group's course differs
- `arms`       the arms that every protocol has, and how overrides are resolved
- `content`    the whole protocol; `checks`: what must hold between its parts
- `located`    from YAML that knows its lines to dataclasses
- `read`       a file's content; `load`: with its compounds and doses checked
- `shipped`    the files of the package
- `summary`    what was understood, in words
"""
