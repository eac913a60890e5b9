"""A protocol: its parts as frozen dataclasses, its file, and the arms that every protocol has.

- `misplaced`  errors that name the place in a protocol
- `amounts`    a dose as text, "25 mg" or "0.3 mg/kg"
- `events`     evidence, sessions, daily life
- `arm`        an arm: how one group's course differs
- `content`    the whole protocol, and what must hold between its parts
- `arms`       the arms that every protocol has, and how overrides are resolved
"""
