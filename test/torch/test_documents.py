"""Attention where the documents are known, against the mask."""

import pytest
import torch

from lsm_torch.nn import attend, documents
from lsm_torch.nn.documents import describe


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
    found = describe(positions, torch.device("cpu"))
    assert found.bounds.tolist() == [0, 2, 5, 7, 8, 10]
    assert (found.longest, found.whole) == (3, False)
    assert describe(torch.arange(4).repeat(3, 1), torch.device("cpu")).whole
