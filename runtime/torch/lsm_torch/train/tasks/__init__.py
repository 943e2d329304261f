"""What a run does that depends on its kind of data: what is measured, what that is compared with, what is said."""

from .open import open_task
from .task import Task

__all__ = ["Task", "open_task"]
