"""`forecast.svg`: one window of a series with its forecast, a panel for each channel, in the data's own units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .svg import STYLE, escape, is_drawable, number, shorten
from .ticks import nice_ticks

_WIDTH, _LEFT, _RIGHT, _TOP = 840, 64, 816, 84
_PANEL, _GAP, _BOTTOM = 150, 42, 48
_MOST_PANELS = 8

_CURVES = (
    ("observed", "truth", "observed"),
    ("linear map", "linear", "baseline"),
    ("forecast", "forecast", "training"),
)


@dataclass(frozen=True)
class ChannelForecast:
    title: str
    past: list[float]
    truth: list[float]  # what came behind the window; empty where nobody knows yet
    forecast: list[float]
    linear: list[float]  # the linear map's forecast; empty without one


def forecast_chart(title: str, channels: list[ChannelForecast]) -> str:
    """The chart as a complete SVG document; values that are not finite are left out."""
    panels = [one for one in channels if any(map(is_drawable, one.past + one.forecast))][:_MOST_PANELS]
    height = _TOP + len(panels) * (_PANEL + _GAP) + _BOTTOM - _GAP
    shown = [(name, style) for name, key, style in _CURVES if any(getattr(panel, key) for panel in panels)]
    drawn = "\n  ".join(_panel(panel, _TOP + i * (_PANEL + _GAP)) for i, panel in enumerate(panels))
    box = f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="forecast-title forecast-desc"'
    middle = number((_LEFT + _RIGHT) / 2)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {box}>
  <title id="forecast-title">{escape(f"A forecast of {title}")}</title>
  <desc id="forecast-desc">{escape(_describe(panels))}</desc>
  <style>{STYLE}
    .observed {{ stroke: #374151; stroke-width: 1.5; }} .now {{ stroke: #9ca3af; stroke-dasharray: 2 3; }}
    @media (prefers-color-scheme: dark) {{ .observed {{ stroke: #d1d5db; }} }}
  </style>
  <rect class="paper" width="{_WIDTH}" height="{height}" rx="8"/>
  <text class="name" x="{_LEFT}" y="34">{escape(shorten(title, 80))}</text>
  {_legend(shown)}
  {drawn}
  <text x="{middle}" y="{height - 12}" text-anchor="middle">points in time from the end of the window</text>
</svg>
"""


def _legend(entries: list[tuple[str, str]]) -> str:
    found = []
    for i, (name, style) in enumerate(entries):
        x = _LEFT + i * 130
        line = f'<line class="{style}" x1="{x}" x2="{x + 26}" y1="57" y2="57"/>'
        found.append(f'{line}<text x="{x + 33}" y="61">{name}</text>')
    return "\n  ".join(found)


def _panel(channel: ChannelForecast, y0: int) -> str:
    """One channel: what was seen to the left of now, what came and what was forecast to the right."""
    past, ahead = channel.past, len(channel.forecast)
    values = [x for x in past + channel.truth + channel.forecast + channel.linear if is_drawable(x)]
    low, high = min(values), max(values)
    span = high - low or 1

    def x(t: float) -> float:
        return _round(_LEFT + ((t + len(past)) / (len(past) + ahead)) * (_RIGHT - _LEFT))

    def y(value: float) -> float:
        return _round(y0 + _PANEL * (1 - (value - low) / span))

    def line(points: list[float], start: int) -> str:
        pen, found = "M", []
        for i, value in enumerate(points):
            if not is_drawable(value):
                pen = "M"
                continue
            found.append(f"{pen}{number(x(start + i))} {number(y(value))}")
            pen = "L"
        return "".join(found)

    up, across = nice_ticks(low, low + span, 4), nice_ticks(-len(past), ahead, 8, 1)
    joined = past[-1:]
    bottom = y0 + _PANEL
    lines = [f'<text x="{_LEFT}" y="{y0 - 8}">{escape(shorten(channel.title, 60))}</text>']
    rows = [(v, y(v)) for v in up.values]
    lines += [f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{number(at)}" y2="{number(at)}"/>' for _, at in rows]
    lines += [f'<text x="{_LEFT - 8}" y="{number(at + 4)}" text-anchor="end">{up.label(v)}</text>' for v, at in rows]
    lines += [
        f'<text x="{number(x(v))}" y="{bottom + 18}" text-anchor="middle">{across.label(v)}</text>'
        for v in across.values
    ]
    now = number(x(0))
    lines.append(f'<line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{bottom}" y2="{bottom}"/>')
    lines.append(f'<line class="now" x1="{now}" x2="{now}" y1="{y0}" y2="{bottom}"/>')
    lines.append(f'<path class="observed" d="{line(past, -len(past))}"/>')
    for _, key, style in _CURVES:
        own: list[float] = getattr(channel, key)
        if own:
            lines.append(f'<path class="{style}" d="{line(joined + own, -len(joined))}"/>')
    return "\n  ".join(lines)


def _round(value: float) -> float:
    return math.floor(value * 100 + 0.5) / 100


def _describe(channels: list[ChannelForecast]) -> str:
    if not channels:
        return "Nothing was forecast."
    first = channels[0]
    names = ", ".join(one.title for one in channels)
    known = ", beside what was observed" if first.truth else ""
    read = f"{len(first.past)} points in time that were read, and a forecast of the next {len(first.forecast)}"
    return f"Line charts of {names}: {read}{known}."
