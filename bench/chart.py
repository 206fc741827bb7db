"""The table as a picture: each ratio and its targets on one logarithmic axis, as plain SVG."""

import math
from collections.abc import Sequence
from html import escape

from .report import Row

LEFT, WIDTH, STEP, TOP = 430, 460, 30, 58
LOWEST, HIGHEST = 0.1, 10.0
COLOURS = {"moonshot": "#1a7f37", "yes": "#0969da", "NO": "#cf222e", "–": "#6e7781"}


def svg(rows: Sequence[Row]) -> str:
    """The chart: a dot a row, a bar at what is required now, a hollow diamond at the moonshot."""
    height = TOP + STEP * len(rows) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="12" y="22" font-size="15" font-weight="600">Ratios, with what is required (bar) and the '
        "moonshot (diamond)</text>",
    ]
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        x = _x(tick)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 14}" y2="{height - 28}" stroke="#d0d7de"/>'
            f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle" fill="#57606a">{tick:g}</text>'
        )
    for number, row in enumerate(rows):
        parts.append(_row(row, TOP + STEP * number))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(row: Row, y: int) -> str:
    reached = "–" if row.target is None else row.target.reached(row.ratio)
    colour, x = COLOURS[reached], _x(row.ratio)
    parts = [f'<text x="12" y="{y + 5}">{escape(f"{row.id}  {row.title}")}</text>']
    if row.target is not None:
        now, moonshot = _x(row.target.now), _x(row.target.moonshot)
        parts.append(f'<rect x="{now - 2:.1f}" y="{y - 10}" width="4" height="20" fill="#24292f"/>')
        parts.append(
            f'<rect x="{moonshot - 5:.1f}" y="{y - 5}" width="10" height="10" fill="white" stroke="#24292f" '
            f'transform="rotate(45 {moonshot:.1f} {y})"/>'
        )
    parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="7" fill="{colour}"/>')
    parts.append(f'<text x="{LEFT + WIDTH + 20}" y="{y + 5}" fill="{colour}">{row.ratio:.2f}</text>')
    return "".join(parts)


def _x(ratio: float) -> float:
    """The place of a ratio on the axis; what lies outside is drawn at its end."""
    inside = min(max(ratio, LOWEST), HIGHEST)
    return LEFT + WIDTH * math.log(inside / LOWEST) / math.log(HIGHEST / LOWEST)
