"""What model.py may import from the runtime lies flat beside it in an exported folder, and imports there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lsm_torch
from lsm_torch.hf.flatten import flatten

RUNTIME = Path(lsm_torch.__file__).parent
#: What emitted models import, and what stands around them.
ROOTS = ["lsm_torch.nn", "lsm_torch.ops", "lsm_torch.hf.modeling", "lsm_torch.hf.configuration"]


def test_every_file_imports_flat(tmp_path: Path) -> None:
    package = tmp_path / "flat"
    package.mkdir()
    (package / "__init__.py").touch()
    files = flatten("\n".join(f"from {root} import x" for root in ROOTS), RUNTIME)
    for name, text in files.items():
        assert "from .." not in text, name
        (package / name).write_text(text)
    names = ", ".join(f"flat.{name[:-3]}" for name in files if "kernels" not in name)  # those need Triton
    program = f"import sys\nsys.modules['lsm_torch'] = None\nimport {names}"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
