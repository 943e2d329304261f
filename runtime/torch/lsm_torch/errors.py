"""What goes wrong for reasons outside the code: said in words, without a stack trace."""

from __future__ import annotations


class RunError(Exception):
    """What is wrong, where, and what to do about it."""

    def __init__(self, code: str, what: str, where: str, help: str = "") -> None:
        super().__init__(what)
        self.code, self.what, self.where, self.help = code, what, where, help

    def __reduce__(self) -> tuple[type[RunError], tuple[str, str, str, str]]:
        """So that one rank can tell the others."""
        return RunError, (self.code, self.what, self.where, self.help)

    def __str__(self) -> str:
        help = f"\nhelp: {self.help}" if self.help else ""
        return f"error[{self.code}]: {self.what}\n  --> {self.where}{help}"
