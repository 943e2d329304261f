"""Values of flags, refused in words."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def seed(text: str) -> int:
    value = whole(text)
    if not 0 <= value < 2**53:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 2^53 - 1")
    return value


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
