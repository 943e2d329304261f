"""`loss.svg`: the run's loss as a picture that explains itself, in light and dark, to eyes and to screen readers.

Every curve differs by its stroke as well as by its colour; names and last values stand in the legend, where they cannot
cover a curve or each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from .points import Point, smooth, thin
from .scale import Frame, LossScale, loss_scale
from .svg import STYLE, escape, fixed, is_drawable, number, shorten
from .ticks import nice_ticks

_WIDTH, _HEIGHT = 840, 460
_PLOT = Frame(left=64, right=_WIDTH - 24, top=84, bottom=_HEIGHT - 56)
_LETTER = 7.2  # a generous width of one letter at this size
_SAMPLE = 26


@dataclass(frozen=True)
class Baseline:
    """A loss to compare with, drawn as a dashed line."""

    name: str
    loss: float


@dataclass(frozen=True)
class _Entry:
    style: str
    mark: bool  # whether its points are circled
    text: str


def loss_chart(
    *, title: str, training: list[Point], held_out: list[Point], baselines: list[Baseline], unit: str
) -> str:
    """The chart as a complete SVG document; numbers that are not finite are left out."""
    training = [point for point in training if is_drawable(point[1])]
    held_out = [point for point in held_out if is_drawable(point[1])]
    baselines = [one for one in baselines if is_drawable(one.loss)]
    smoothed = smooth(training, len(training) / 40)
    scale = loss_scale(_PLOT, training, [*smoothed, *held_out, *((0, one.loss) for one in baselines)])
    legend: list[_Entry] = []
    curves: list[str] = []
    for i, one in enumerate(baselines):
        style, y = f"baseline baseline-{i}", scale.y(one.loss)
        curves.append(f'<line class="{style}" x1="{_PLOT.left}" x2="{_PLOT.right}" y1="{y}" y2="{y}"/>')
        legend.append(_Entry(style, False, f"{one.name} {fixed(one.loss, 3)}"))
    if held_out:
        curves.append(f'<path class="held" d="{_path(held_out, scale)}"/>')
        for step, loss in thin(held_out, 60):
            curves.append(f'<circle class="held" cx="{scale.x(step)}" cy="{scale.y(loss)}" r="3.5"/>')
        legend.insert(0, _Entry("held", True, f"held out {_last(held_out)}"))
    if training:
        curves.insert(0, f'<path class="raw" d="{_path(thin(training, 1200), scale)}"/>')
        curves.append(f'<path class="training" d="{_path(thin(smoothed, 600), scale)}"/>')
        legend.insert(0, _Entry("training", False, f"training, smoothed {_last(smoothed)}"))
    clip = (
        f'<rect x="{_PLOT.left}" y="{_PLOT.top - 4}" width="{_PLOT.right - _PLOT.left + 4}" '
        f'height="{_PLOT.bottom - _PLOT.top + 4}"/>'
    )
    lines = "\n    ".join(curves)
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="loss-title loss-desc"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {box}>
  <title id="loss-title">{escape(f"Loss of {title}")}</title>
  <desc id="loss-desc">{escape(_describe(smoothed, held_out, legend, unit))}</desc>
  <style>{STYLE}
  </style>
  <rect class="paper" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>
  <text class="name" x="{_PLOT.left}" y="34">{escape(shorten(title, 80))}</text>
  {_legend(legend)}
  {_axes(scale, unit)}
  <clipPath id="loss-plot">{clip}</clipPath>
  <g clip-path="url(#loss-plot)">
    {lines}
  </g>
</svg>
"""


def _axes(scale: LossScale, unit: str) -> str:
    across, up = nice_ticks(*scale.steps, 8, 1), nice_ticks(*scale.losses, 6)
    x, left, right, bottom = scale.x, _PLOT.left, _PLOT.right, _PLOT.bottom
    rows = [(v, scale.y(v)) for v in up.values]
    lines = [f'<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>' for _, y in rows]
    lines += [
        f'<text x="{left - 8}" y="{number(float(y) + 4)}" text-anchor="end">{up.label(v)}</text>' for v, y in rows
    ]
    lines.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    lines += [f'<line class="axis" x1="{x(v)}" x2="{x(v)}" y1="{bottom}" y2="{bottom + 5}"/>' for v in across.values]
    lines += [
        f'<text x="{x(v)}" y="{bottom + 20}" text-anchor="middle">{across.label(v)}</text>' for v in across.values
    ]
    middle = number((_PLOT.top + bottom) / 2)
    lines.append(f'<text x="{number((left + right) / 2)}" y="{_HEIGHT - 12}" text-anchor="middle">step</text>')
    lines.append(
        f'<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">loss, {escape(unit)}</text>'
    )
    return "\n  ".join(lines)


def _legend(entries: list[_Entry]) -> str:
    x, y = _PLOT.left, 57.0
    found = []
    for entry in entries:
        label = shorten(entry.text, 34)
        width = int(_SAMPLE + 7 + len(label) * _LETTER + 18 + 0.5)
        if x + width > _PLOT.right:
            x, y = _PLOT.left, y + 18
        at, row = number(x), number(y)
        line = f'<line class="{entry.style}" x1="{at}" x2="{number(x + _SAMPLE)}" y1="{row}" y2="{row}"/>'
        circle = f'<circle class="{entry.style}" cx="{number(x + _SAMPLE / 2)}" cy="{row}" r="3.5"/>'
        name = f'<text x="{number(x + _SAMPLE + 7)}" y="{number(y + 4)}">{escape(label)}</text>'
        found.append(line + (circle if entry.mark else "") + name)
        x += width
    return "\n  ".join(found)


def _describe(smoothed: list[Point], held_out: list[Point], legend: list[_Entry], unit: str) -> str:
    points = smoothed or held_out
    if not points:
        return "Nothing was measured yet."
    last = "; ".join(entry.text for entry in legend)
    start = f"It begins at {fixed(points[0][1], 3)}."
    return f"A line chart of the loss, {unit}, over {points[-1][0]} steps. {start} Last values: {last}."


def _path(points: list[Point], scale: LossScale) -> str:
    return "".join(f"{'L' if i else 'M'}{scale.x(step)} {scale.y(loss)}" for i, (step, loss) in enumerate(points))


def _last(points: list[Point]) -> str:
    return fixed(points[-1][1], 3)
