"""Behavioural data: tidy tables and BIDS files, checked cell by cell, without identifiers."""

from pcmodel.behaviour.dataset.reading import Reading as Reading
from pcmodel.behaviour.dataset.schema import TASKS as TASKS
from pcmodel.behaviour.dataset.schema import Column as Column
from pcmodel.behaviour.dataset.schema import Task as Task
from pcmodel.behaviour.dataset.schema import find_task as find_task
from pcmodel.behaviour.dataset.schema import kind_of as kind_of
from pcmodel.behaviour.dataset.schema import with_judgements as with_judgements
from pcmodel.behaviour.dataset.series import Series as Series
from pcmodel.behaviour.dataset.series import load_series as load_series
from pcmodel.behaviour.dataset.tables.bids import files_read as files_read
from pcmodel.behaviour.dataset.tables.readers import RawTable as RawTable
from pcmodel.behaviour.dataset.tables.readers import check_file as check_file
from pcmodel.behaviour.dataset.tables.readers import read_raw as read_raw
from pcmodel.behaviour.dataset.understood import understood as understood
