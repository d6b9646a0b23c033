"""What `svhn.evaluation.robustness` measured, for people and for programs: chart, table, JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from svhn.evaluation.charts import LINE_COLOUR, RIGHT_COLOUR
from svhn.evaluation.metrics import Proportion
from svhn.evaluation.robustness import PANELS, Measurement, Panel

COLUMNS = 4
_PANEL_INCHES = (3.6, 3.1)
_DOTS_PER_INCH = 100
_LINE = {"color": RIGHT_COLOUR, "marker": "o", "markersize": 5, "linewidth": 2}
_UNCHANGED = {
    "marker": "o",
    "markersize": 7,
    "markerfacecolor": "white",
    "markeredgecolor": LINE_COLOUR,
    "linestyle": "none",
}


def robustness_chart(
    measurements: Sequence[Measurement], title: str, panels: Sequence[Panel] = PANELS
) -> Figure:
    """Returns a figure with a panel for each kind of change; `savefig` writes it.

    Points with 95 % intervals, the levels at equal distances. The dashed line and the hollow
    points are the unchanged photos; all panels have the same accuracy axis.

    Args:
        measurements: As `svhn.evaluation.robustness.measure_robustness` gives them for `panels`.
        title: The line above all panels.
        panels: What was measured.
    """
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(
        (COLUMNS * _PANEL_INCHES[0], rows * _PANEL_INCHES[1] + 0.4),
        dpi=_DOTS_PER_INCH,
        layout="constrained",
    )
    figure.suptitle(title, fontsize=13)
    axes = figure.subplots(rows, COLUMNS, sharey=True, squeeze=False).ravel()
    unchanged = next((part.sequence for part in measurements if part.level is None), None)
    for panel, place in zip(panels, axes, strict=False):
        _draw(place, panel, [part for part in measurements if part.panel == panel.name], unchanged)
    unused = axes[len(panels) :]
    for place in unused:
        place.set_axis_off()
    if len(unused):
        unused[0].plot([], label="changed, with 95 % interval", **_LINE)
        unused[0].plot([], label="unchanged, tight box", **_UNCHANGED)
        unused[0].legend(loc="center", frameon=False, fontsize=11)
    lowest = min(part.sequence.interval[0] for part in measurements)
    axes[0].set_ylim(np.floor(10 * lowest) / 10 - 0.02, 1.0)
    for place in axes[::COLUMNS]:
        place.set_ylabel("numbers read right")
        place.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def robustness_table(measurements: Sequence[Measurement], panels: Sequence[Panel] = PANELS) -> str:
    """Returns the accuracies as text, a heading for each panel, a line for each level."""
    lines = []
    for panel in panels:
        lines.append(panel.title)
        for part in measurements:
            if part.panel == panel.name:
                low, high = part.sequence.interval
                lines.append(
                    f"  {part.level_name:>6}  {100 * part.sequence.share:6.2f} %"
                    f"  ({100 * low:.2f}–{100 * high:.2f})"
                )
    return "\n".join(lines)


def robustness_as_json(
    measurements: Sequence[Measurement], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the figures as JSON has them.

    Args:
        measurements: As `svhn.evaluation.robustness.measure_robustness` gives them.
        about: What was measured: checkpoint, data, seed …
    """
    return {**about, "measurements": [_entry(part) for part in measurements]}


def _entry(part: Measurement) -> dict[str, Any]:
    low, high = part.sequence.interval
    return {
        "change": part.panel,
        "level": part.level,  # null: the unchanged photo
        "level_name": part.level_name,
        "sequence_accuracy": part.sequence.share,
        "correct": part.sequence.correct,
        "count": part.sequence.count,
        "low_95": low,
        "high_95": high,
    }


def _draw(
    axes: Axes, panel: Panel, parts: Sequence[Measurement], unchanged: Proportion | None
) -> None:
    shares = np.array([part.sequence.share for part in parts])
    intervals = np.array([part.sequence.interval for part in parts])
    places = np.arange(len(parts))
    if unchanged is not None:
        axes.axhline(unchanged.share, color=LINE_COLOUR, linestyle="--", linewidth=1.2)
    axes.errorbar(
        places,
        shares,
        yerr=np.abs(intervals.T - shares),
        ecolor=RIGHT_COLOUR + "80",
        capsize=3,
        **_LINE,
    )
    for place, part, share in zip(places, parts, shares, strict=True):
        if part.level is None:  # the unchanged photo, where it lies among the levels
            axes.plot(place, share, zorder=5, **_UNCHANGED)
    axes.set_title(panel.title, fontsize=10)
    axes.set_xticks(places, [part.level_name for part in parts])
    axes.set_xlim(-0.4, len(parts) - 0.6)
    axes.grid(color="#d0d0d0", linewidth=0.8)
    axes.set_axisbelow(True)
