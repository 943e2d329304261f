"""Checkpoints are written tensor by tensor: what a rank gathers is let go before the next is made."""

from __future__ import annotations

import gc
import json
import zlib
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from lsm_torch.checkpoint.safetensors import Pending, load, save
from lsm_torch.errors import RunError

TEXT = 'a text with "lsm.crc32":"12345678" in it'


class Gathered:
    """Pending tensors that note how many of them were alive at once."""

    def __init__(self, count: int) -> None:
        self.values = {f"w{i}": torch.randn(3, i) for i in range(count)}
        self.alive: list[StorageWeakRef] = []
        self.most = self.made = 0

    def pending(self) -> dict[str, Pending]:
        return {name: Pending(x.dtype, x.shape, lambda name=name: self.make(name)) for name, x in self.values.items()}

    def make(self, name: str) -> Tensor:
        gc.collect()
        made = self.values[name].clone()
        self.alive = [one for one in self.alive if not one.expired()] + [StorageWeakRef(made.untyped_storage())]
        self.most, self.made = max(self.most, len(self.alive)), self.made + 1
        return made


def test_one_tensor_at_a_time(tmp_path: Path) -> None:
    gathered = Gathered(6)
    path = tmp_path / "x.safetensors"
    save(path, gathered.pending(), {"lsm.source": TEXT})
    assert (gathered.made, gathered.most) == (6, 1)
    found, metadata = load(path)
    assert metadata["lsm.source"] == TEXT and metadata["lsm.crc32"] != "00000000"
    for tensors in (found, safetensors.torch.load_file(path)):
        assert tensors.keys() == gathered.values.keys()
        assert all(torch.equal(tensors[name], x) for name, x in gathered.values.items())
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    crc = json.loads(raw[8 : 8 + size])["__metadata__"]["lsm.crc32"]
    assert crc == f"{zlib.crc32(raw[8 + size :]):08x}"


def test_other_ranks_give_their_parts(tmp_path: Path) -> None:
    gathered = Gathered(3)
    save(None, gathered.pending(), {})
    assert gathered.made == 3 and not list(tmp_path.iterdir())


def test_no_rank_waits_for_one_that_cannot_write(tmp_path: Path) -> None:
    gathered = Gathered(3)
    with pytest.raises(RunError, match="cannot be written"):
        save(tmp_path / "missing" / "x.safetensors", gathered.pending(), {})
    assert gathered.made == 3


@pytest.mark.parametrize("damage", [b"", b"\x00" * 4, b"\x10" + b"\x00" * 20])
def test_damaged_files(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(damage)
    with pytest.raises(RunError, match="damaged"):
        load(path)
