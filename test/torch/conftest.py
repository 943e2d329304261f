"""Finds the package where it lies, so that the tests need no installation."""

import os
import sys
from pathlib import Path

# before triton is imported: its own functions are made for the interpreter or the compiler then
os.environ.setdefault("TRITON_INTERPRET", "1")

sys.path.insert(0, str(Path(__file__).parents[2] / "runtime" / "torch"))
sys.path.insert(0, str(Path(__file__).parent))


def mend_interpreter() -> None:
    """Triton 3.6's interpreter takes int() of arrays of one element, which NumPy 2.4 refuses."""
    try:
        from triton.runtime import interpreter
    except ImportError:
        return
    original = interpreter._patch_lang_tensor

    def patch(tensor, scope) -> None:
        original(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.item()))

    interpreter._patch_lang_tensor = patch


mend_interpreter()
