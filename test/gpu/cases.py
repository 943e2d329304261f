"""What is checked on a GPU: every family, odd sizes, long time, packed documents, three types."""

from __future__ import annotations

import torch

from definition import Case

BF16, FP16, FP32 = torch.bfloat16, torch.float16, torch.float32

GATED = [
    (Case("sum", time=300, heads=3, key=64, value=64), BF16),
    (Case("sum, wide, documents", time=1000, heads=4, key=128, value=128, documents="positions"), BF16),
    (Case("sum, wide, long", batch=1, time=8000, heads=2, key=128, value=128), BF16),
    (Case("sum, two writes", writes=2, time=200, heads=3, key=64, value=32), BF16),
    (Case("one head's decay, odd sizes", decay="head", time=301, heads=5, key=48, value=100), BF16),
    (Case("scalar decay", decay="scalar", time=1000, heads=4, key=128, value=128), BF16),
    (Case("scalar decay", decay="scalar", time=333, heads=4, key=128, value=128), FP32),
    (Case("scalar decay", decay="scalar", time=333, heads=4, key=64, value=96), FP16),
    (
        Case("scalar decay, documents", decay="scalar", time=700, heads=4, key=128, value=64, documents="positions"),
        BF16,
    ),
    (
        Case("scalar decay, cu_seqlens", decay="scalar", time=700, heads=4, key=64, value=64, documents="cu_seqlens"),
        BF16,
    ),
    (Case("scalar decay, long", decay="scalar", strength=0.02, batch=1, time=16000, heads=2, key=64, value=64), BF16),
    (Case("scalar decay, read before", decay="scalar", read="before", time=300, key=64, value=64), BF16),
    (Case("scalar decay, wide key", decay="scalar", time=300, key=256, value=128), BF16),
    (Case("key decay", decay="key", time=1000, heads=4, key=128, value=128), BF16),
    (Case("key decay", decay="key", time=200, heads=3, key=64, value=64), FP32),
    (Case("key decay", decay="key", time=200, heads=3, key=64, value=64), FP16),
    (Case("key decay, mild", decay="key", strength=0.05, time=1000, heads=4, key=128, value=128), BF16),
    (Case("key decay, very strong", decay="key", strength=10.0, time=300, heads=2, key=64, value=64), BF16),
    (Case("key decay, documents, odd", decay="key", time=333, heads=3, key=40, value=72, documents="positions"), BF16),
    (Case("key decay, read before", decay="key", read="before", time=300, heads=3, key=64, value=64), BF16),
    (Case("key decay, cu_seqlens", decay="key", time=300, heads=3, key=64, value=64, documents="cu_seqlens"), BF16),
    (Case("key decay, long", decay="key", strength=0.05, batch=1, time=8000, heads=2, key=64, value=64), BF16),
    (Case("value decay", decay="value", time=500, heads=3, key=64, value=128), BF16),
    (Case("value decay, documents", decay="value", time=300, heads=3, key=64, value=64, documents="positions"), BF16),
]

ERASED = [
    (Case("erase", erases=1, time=500, heads=3, key=64, value=64), BF16),
    (Case("erase", erases=1, time=200, heads=3, key=64, value=64), FP32),
    (Case("erase, scalar decay, odd sizes", erases=1, decay="scalar", time=301, heads=3, key=48, value=100), BF16),
    (
        Case(
            "erase, scalar decay, documents",
            erases=1,
            decay="scalar",
            time=500,
            key=64,
            value=64,
            documents="positions",
        ),
        BF16,
    ),
    (Case("erase, key decay", erases=1, decay="key", time=500, heads=3, key=128, value=128), BF16),
    (Case("erase, key decay", erases=1, decay="key", time=200, heads=3, key=64, value=64), FP32),
    (
        Case("erase, key decay, cu_seqlens", erases=1, decay="key", time=300, key=64, value=64, documents="cu_seqlens"),
        BF16,
    ),
    (Case("two erases and writes", erases=2, writes=2, decay="key", time=200, key=64, value=64), BF16),
    (Case("erase, scalar decay, fp16", erases=1, decay="scalar", time=200, key=64, value=64), FP16),
]

DELTA = [
    (Case("delta rule", delta=True, time=700, heads=3, key=128, value=128), BF16),
    (Case("delta rule, scalar decay", delta=True, decay="scalar", time=1000, heads=4, key=128, value=128), BF16),
    (Case("delta rule, scalar decay", delta=True, decay="scalar", time=300, heads=4, key=64, value=128), FP32),
    (
        Case(
            "delta rule, scalar decay, documents",
            delta=True,
            decay="scalar",
            time=500,
            key=64,
            value=64,
            documents="positions",
        ),
        BF16,
    ),
    (Case("delta rule, key decay", delta=True, decay="key", time=1000, heads=4, key=128, value=128), BF16),
    (Case("delta rule, key decay", delta=True, decay="key", time=300, heads=4, key=64, value=64), FP32),
    (
        Case(
            "delta rule, key decay, cu_seqlens",
            delta=True,
            decay="key",
            time=300,
            key=64,
            value=64,
            documents="cu_seqlens",
        ),
        BF16,
    ),
    (
        Case(
            "delta rule, scalar decay, long",
            delta=True,
            decay="scalar",
            strength=0.05,
            batch=1,
            time=8000,
            key=64,
            value=64,
        ),
        BF16,
    ),
]

CASES = GATED + ERASED + DELTA
