"""The safetensors format, read and written with torch alone."""

from __future__ import annotations

import json
import os
import zlib
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


def save(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes beside the path, flushes, and renames: nobody ever sees half a file. Adds `lsm.crc32` to the metadata."""
    items = sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))
    header: dict[str, Any] = {}
    start = 0
    for name, x in items:
        end = start + x.numel() * x.element_size()
        header[name] = {
            "dtype": _NAMES[x.dtype],
            "shape": list(x.shape),
            "data_offsets": [start, end],
        }
        start = end
    crc = 0
    for _, x in items:
        crc = zlib.crc32(_bytes(x), crc)
    header = {"__metadata__": {**metadata, "lsm.crc32": f"{crc:08x}"}, **header}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, x in items:
            file.write(_bytes(x))
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def _bytes(x: Tensor) -> memoryview:
    own = x.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return memoryview(own.numpy().data)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors and the metadata, after the checksum where there is one."""
    try:
        raw = bytearray(path.read_bytes())
    except FileNotFoundError:
        raise RunError("file-missing", "there is no such checkpoint", str(path)) from None
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
    except (ValueError, KeyError, UnicodeDecodeError) as error:
        raise RunError("checkpoint-damaged", f"the checkpoint is damaged: {error}", str(path)) from None
    return tensors, metadata
