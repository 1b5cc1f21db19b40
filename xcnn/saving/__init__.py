"""From results to a run folder: pictures and numbers as they come, run.json and the report at the end."""

from xcnn.saving.memory import save
from xcnn.saving.writer import REPORT, Writer

__all__ = ["REPORT", "Writer", "save"]
