"""What all charts share: colours, text for XML, and numbers as JavaScript writes them."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal

STYLE = """
    svg { color-scheme: light dark; font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
    .paper { fill: #ffffff; } text { fill: #4b5563; } .name { fill: #111827; font-size: 17px; font-weight: 600; }
    .grid { stroke: #e5e7eb; } .axis { stroke: #9ca3af; } path, line, circle { fill: none; stroke-width: 1; }
    .raw { stroke: #93b4f5; stroke-opacity: 0.55; } .training { stroke: #1d4ed8; stroke-width: 2.25; stroke-linejoin: round; }
    .held { stroke: #c2410c; stroke-width: 1.75; } circle.held { fill: #ffffff; }
    .baseline { stroke: #6b7280; stroke-width: 1.5; stroke-dasharray: 6 5; } .baseline-1 { stroke-dasharray: 2 4; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #111827; } text { fill: #b6bdc9; } .name { fill: #f3f4f6; } .grid { stroke: #273244; } .axis { stroke: #6b7280; }
      .raw { stroke: #3b5fae; } .training { stroke: #7aa7ff; } .held { stroke: #fb923c; } circle.held { fill: #111827; }
      .baseline { stroke: #9ca3af; }
    }"""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def escape(text: str) -> str:
    """Text for XML: its marks escaped, what XML forbids left out."""
    return re.sub('[&<>"]', lambda mark: f"&#{ord(mark[0])};", _FORBIDDEN.sub("", text))


def shorten(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def fixed(value: float, decimals: int) -> str:
    """So many decimals, halves away from zero."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE))


def number(value: float) -> str:
    """The shortest text that reads back as the same number: `3`, `0.25`."""
    return str(int(value)) if value == math.floor(value) and abs(value) < 1e21 else repr(value)


def digits(value: float, count: int) -> float:
    """Rounded to so many significant digits, halves away from zero."""
    return float(Context(prec=count, rounding=ROUND_HALF_UP).create_decimal_from_float(value))


def is_drawable(value: float) -> bool:
    """Also keeps out what is so large that the distance of two of them is not finite."""
    return abs(value) < 1e300


_WIDE = Context(prec=400)
