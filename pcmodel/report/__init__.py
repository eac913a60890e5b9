"""What a reader of a run sees: verdicts, figures, one self-contained page.

`content` says what a report consists of, `html` renders it, `style` gives figures
one look. Only this package and experiments import matplotlib.

May import: `inputs`, `api`.
"""

from pcmodel.report.content import SMOKE_STAMP as SMOKE_STAMP
from pcmodel.report.content import Panel as Panel
from pcmodel.report.content import Report as Report
from pcmodel.report.content import Section as Section
from pcmodel.report.content import Table as Table
from pcmodel.report.content import Verdict as Verdict
from pcmodel.report.html import render_html as render_html
