"""Philox4x32-10 as a row of 32-bit words for every name (Salmon et al., SC 2011), computed by the block with numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def name_hash(name: str) -> int:
    """FNV-1a, 64 bits, of the name's UTF-8 bytes."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def philox(blocks: NDArray[np.uint64], stream: int, key: int) -> NDArray[np.uint64]:
    """The four words of each block: [n] to [n, 4]."""
    c0, c1 = blocks & _LOW, blocks >> _HALF
    c2 = np.full_like(blocks, stream & 0xFFFFFFFF)
    c3 = np.full_like(blocks, stream >> 32)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p, q = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (q >> _HALF) ^ c1 ^ np.uint64(k0),
            q & _LOW,
            (p >> _HALF) ^ c3 ^ np.uint64(k1),
            p & _LOW,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack((c0, c1, c2, c3), -1)


class RandomStream:
    """A stream of words; its whole state is how many were drawn."""

    def __init__(self, seed: int, name: str) -> None:
        self.seed, self.hash, self.drawn = seed, name_hash(name), 0
        self._words: NDArray[np.uint64] = np.empty(0, np.uint64)  # from block _from on
        self._from = 0

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next words, below 2**32."""
        first, last = self.drawn // 4, -(-(self.drawn + count) // 4)
        blocks = np.arange(first, last, dtype=np.uint64)
        found = philox(blocks, self.hash, self.seed).reshape(-1)
        start = self.drawn - 4 * first
        self.drawn += count
        return found[start : start + count]

    def word(self) -> int:
        at = self.drawn - 4 * self._from
        if not 0 <= at < len(self._words):
            self._from = self.drawn // 4
            blocks = np.arange(self._from, self._from + 256, dtype=np.uint64)
            self._words = philox(blocks, self.hash, self.seed).reshape(-1)
            at = self.drawn - 4 * self._from
        self.drawn += 1
        return int(self._words[at])

    def uniform(self, count: int) -> NDArray[np.float64]:
        """In [0, 1): multiples of 2**-24."""
        return (self.words(count) >> np.uint64(8)).astype(np.float64) * 2.0**-24

    def normal(self, count: int) -> NDArray[np.float64]:
        """Box-Muller in float64, rounded to float32; two words each."""
        pairs = self.words(2 * count).reshape(-1, 2).astype(np.float64)
        radius = np.sqrt(-2 * np.log((pairs[:, 0] + 1) / 2**32))
        return (radius * np.cos(2 * np.pi * pairs[:, 1] / 2**32)).astype(np.float32).astype(float)

    def integer(self, bound: int) -> int:
        """In [0, bound), without modulo bias."""
        limit = 2**32 - 2**32 % bound
        word = self.word()
        while word >= limit:
            word = self.word()
        return word % bound

    def permutation(self, n: int) -> NDArray[np.int64]:
        """0 to n - 1 in random order (Fisher-Yates, from the last place to the first)."""
        order = np.arange(n)
        for i in range(n - 1, 0, -1):
            j = self.integer(i + 1)
            order[i], order[j] = order[j], order[i]
        return order
