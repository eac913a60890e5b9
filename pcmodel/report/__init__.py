"""The report of a run: verdicts, figures, one self-contained page.

`content` defines the parts of a report, `html` renders it, and `style` is the common style of
figures. `declared` derives an experiment's parts from its declaration: claims, their
sensitivity to parameters, a page written as text. Only this package and experiments import matplotlib.

May import: `inputs`, `model`, `networks`, `api`.
"""

from pcmodel.report.content import SMOKE_STAMP as SMOKE_STAMP
from pcmodel.report.content import Panel as Panel
from pcmodel.report.content import Report as Report
from pcmodel.report.content import Section as Section
from pcmodel.report.content import Table as Table
from pcmodel.report.content import Verdict as Verdict
from pcmodel.report.declared.claims import NOT_EXAMINED as NOT_EXAMINED
from pcmodel.report.declared.claims import UNPERTURBED as UNPERTURBED
from pcmodel.report.declared.claims import Claim as Claim
from pcmodel.report.declared.claims import Examination as Examination
from pcmodel.report.declared.claims import Examined as Examined
from pcmodel.report.declared.claims import Parameter as Parameter
from pcmodel.report.declared.claims import Perturbation as Perturbation
from pcmodel.report.declared.experiment import Experiment as Experiment
from pcmodel.report.html import render_html as render_html
