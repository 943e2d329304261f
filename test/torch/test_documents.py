"""Attention where the documents are known, against the mask."""

import pytest
import torch

from lsm_torch.data.rows import Batch
from lsm_torch.nn import attend, documents
from lsm_torch.nn.documents import describe
from lsm_torch.train.inputs import Inputs, inputs_of


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("starts", [[], [4, 5], [1, 10]])
def test_attention_is_the_same(causal: bool, window: int | None, starts: list[int]) -> None:
    torch.manual_seed(3)
    positions = torch.arange(11).repeat(2, 1)
    for start in starts:
        positions[1, start:] = torch.arange(11 - start)
    q, k, v = torch.randn(2, 11, 4, 8), torch.randn(2, 11, 2, 8), torch.randn(2, 11, 2, 8)
    expected = attend(q, k, v, positions, scale=0.3, causal=causal, window=window)
    with documents(positions, q.device):
        found = attend(q, k, v, positions, scale=0.3, causal=causal, window=window)
    assert (found - expected).abs().max() < 1e-6


def test_bounds() -> None:
    positions = torch.tensor([[0, 1, 0, 1, 2], [3, 4, 0, 0, 1]])  # the second row begins inside a document
    found = describe(positions)
    assert found.bounds.tolist() == [0, 2, 5, 7, 8, 10]
    assert (found.longest, found.whole) == (3, False)
    assert describe(torch.arange(4).repeat(3, 1)).whole


def test_batches_of_one_form() -> None:
    """What a recorded step takes: documents of any number and length fit into the places of others."""

    def inputs(starts: list[int]) -> Inputs:
        positions = torch.arange(12).repeat(2, 1)
        for start in starts:
            positions[1, start:] = torch.arange(12 - start)
        ids = torch.zeros(2, 12, dtype=torch.long)
        batch = Batch(ids, ids, torch.ones(2, 12), positions)
        return inputs_of(batch, torch.zeros(4), 2, 0, 1)

    one, other, most = inputs([3]), inputs([2, 5, 9]), inputs(list(range(1, 12)))
    assert one.form != other.form
    assert one.alike(True).form == other.alike(True).form == most.alike(True).form
    assert inputs([]).alike(True).form != one.alike(True).form  # whole rows need no bounds
    assert inputs([]).alike(False).form == one.alike(False).form  # which only attention asks for
    own = one.alike(True)
    own.take(other.alike(True))
    assert [x.bounds[:6].tolist() for x in own.documents] == [[0, 12, 12, 12, 12, 12], [0, 2, 5, 9, 12, 12]]
