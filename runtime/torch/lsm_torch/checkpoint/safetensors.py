"""The safetensors format, read and written with torch alone."""

from __future__ import annotations

import json
import math
import mmap
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import RunError

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_NO_CRC = "00000000"
_CRC_KEY = b'"lsm.crc32":"'


@dataclass(frozen=True)
class Pending:
    """A tensor that is made when its turn to be written comes, and let go behind it: gathered from ranks, joined from halves."""

    dtype: torch.dtype
    shape: Sequence[int]
    make: Callable[[], Tensor]


def save(path: Path | None, tensors: Mapping[str, Tensor | Pending], metadata: dict[str, str]) -> None:
    """Writes beside the path, flushes, and renames: nobody ever sees half a file. Adds `lsm.crc32` to the metadata.

    One pending tensor at a time is in memory. Where ranks make them together, all call this, with a path on one of them.
    """
    items = sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header: dict[str, Any] = {"__metadata__": {**metadata, "lsm.crc32": _NO_CRC}}
    start = 0
    for name, x in items:
        end = start + math.prod(x.shape) * x.dtype.itemsize
        header[name] = {"dtype": _NAMES[x.dtype], "shape": list(x.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    made = (_bytes(x.make() if isinstance(x, Pending) else x) for _, x in items)
    if path is None:
        for _ in made:
            pass
        return
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            crc = 0
            for data in made:
                crc = zlib.crc32(data, crc)
                file.write(data)
                del data  # and with it the tensor, before the next is made
            file.seek(
                8 + text.index(_CRC_KEY) + len(_CRC_KEY)
            )  # quotes within texts are escaped: there is one such key
            file.write(f"{crc:08x}".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        for _ in made:  # the other ranks wait for this one
            pass
        partial.unlink(missing_ok=True)
        what = f"the checkpoint cannot be written: {error.strerror}"
        help = "make room or give another folder with --out; the checkpoint before it is whole"
        raise RunError("file-access", what, str(path), help) from None
    partial.rename(path)


def _bytes(x: Tensor) -> memoryview:
    own = x.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return memoryview(own.numpy().data)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors and the metadata, after the checksum where there is one.

    The file is mapped: ranks of one machine share its pages, and what is not read takes no memory.
    """
    try:
        with path.open("rb") as file:
            raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except FileNotFoundError:
        raise RunError("file-missing", "there is no such checkpoint", str(path)) from None
    except OSError as error:
        raise RunError("file-access", f"cannot read it: {error.strerror}", str(path)) from None
    except ValueError:
        raise RunError("checkpoint-damaged", "the checkpoint is damaged: it is empty", str(path)) from None
    try:
        size = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + size].decode())
        metadata = header.pop("__metadata__", {})
        data = memoryview(raw)[8 + size :]
        if "lsm.crc32" in metadata and f"{zlib.crc32(data):08x}" != metadata["lsm.crc32"]:
            raise ValueError("its checksum is not that of its tensors")
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            dtype = _DTYPES[entry["dtype"]]
            flat = torch.frombuffer(data[begin:end], dtype=dtype) if end > begin else torch.empty(0)
            tensors[name] = flat.reshape(entry["shape"])
    except UnicodeDecodeError:
        what = "the checkpoint is damaged, or something else: this is no safetensors file"
        raise RunError("checkpoint-damaged", what, str(path)) from None
    except (ValueError, KeyError) as error:
        raise RunError("checkpoint-damaged", f"the checkpoint is damaged: {error}", str(path)) from None
    return tensors, metadata
