"""Charts of an evaluation as pictures: calibration, confidences, risk, confused digits.

They are drawn large enough to be read when TensorBoard shrinks them to its cards. The colours are
those of M. Okabe and K. Ito, which colour-blind people can tell apart, too. matplotlib is used
through its objects alone: no window, no settings shared with the rest of the process.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from svhn.evaluation.calibration import Calibration
from svhn.evaluation.metrics import Answers, Coverage, risk_coverage_curve, wilson_interval
from svhn.labels import DIGIT_CLASSES

CHART_SIZE = 600
"""Height and width of each chart in pixels."""

RIGHT_COLOUR, WRONG_COLOUR, LINE_COLOUR = "#0072b2", "#d55e00", "#333333"

_DOTS_PER_INCH = 100
_TEXT_SIZE = 13  # points
_HISTOGRAM_BINS = 20


def calibration_chart(calibration: Calibration) -> np.ndarray:
    """Returns the reliability diagram: the share of right readings by their confidence.

    A point for each bin that has photos, with its 95 % interval. On the diagonal the confidence is
    honest; below it the model is too sure of itself.

    Args:
        calibration: As `svhn.evaluation.calibration.calibrate` gives it.

    Returns:
        uint8 [CHART_SIZE, CHART_SIZE, 3].
    """
    error = calibration.expected_calibration_error
    figure, axes = _empty_chart(
        "Calibration" if error is None else f"Calibration: expected error {100 * error:.1f} %"
    )
    filled = [part for part in calibration.bins if part.count]
    accuracy = np.array([part.accuracy for part in filled])
    intervals = [wilson_interval(part.correct, part.count) for part in filled]
    axes.plot([0, 1], [0, 1], color=LINE_COLOUR, linestyle="--", linewidth=2)
    axes.errorbar(
        [part.mean_confidence for part in filled],
        accuracy,
        yerr=np.abs(np.array(intervals).reshape(-1, 2).T - accuracy),
        color=RIGHT_COLOUR,
        ecolor=RIGHT_COLOUR + "80",
        marker="o",
        markersize=7,
        linewidth=2.5,
        elinewidth=2,
        capsize=4,
    )
    grey = {"color": "#767676", "fontsize": _TEXT_SIZE, "ha": "center", "va": "center"}
    axes.text(0.27, 0.93, "too modest", **grey)
    axes.text(0.75, 0.07, "too sure of itself", **grey)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="confidence", ylabel="read right")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return _pixels(figure)


def confidence_chart(right: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Returns the histogram of the confidences, of right readings and of wrong ones.

    Counts are on a logarithmic scale, so that a few confident mistakes beside thousands of right
    readings can be seen.

    Args:
        right: Booleans of shape (N,): whether the whole number is right; N may be 0.
        confidence: Floats of shape (N,), 0 to 1.

    Returns:
        uint8 [CHART_SIZE, CHART_SIZE, 3].
    """
    right, confidence = np.asarray(right, bool), np.clip(confidence, 0, 1)
    figure, axes = _empty_chart("Confidence of right and wrong readings")
    ends = np.linspace(0, 1, _HISTOGRAM_BINS + 1)
    axes.set(yscale="log", xlim=(0, 1), ylim=(0.7, 5))
    highest = 1
    for kind, chosen, colour in (("right", right, RIGHT_COLOUR), ("wrong", ~right, WRONG_COLOUR)):
        counts, _ = np.histogram(confidence[chosen], ends)
        highest = max(highest, int(counts.max()))
        label = f"{kind}: {np.count_nonzero(chosen):,}"
        axes.stairs(counts, ends, fill=True, color=colour, alpha=0.25)
        axes.stairs(counts, ends, color=colour, linewidth=2.5, label=label)
    axes.set_ylim(0.7, 5 * highest)  # One photo can be seen, and the legend has room.
    axes.set(xlabel="confidence", ylabel="photos (logarithmic scale)")
    axes.yaxis.set_major_formatter(lambda value, _: _short_count(round(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(loc="upper left", ncols=2, frameon=False, fontsize=_TEXT_SIZE)
    return _pixels(figure)


def risk_coverage_chart(
    right: np.ndarray,
    confidence: np.ndarray,
    coverages: Sequence[Coverage] = (),
    answers: Sequence[Answers] = (),
) -> np.ndarray:
    """Returns the risk-coverage curve: how many of the kept photos are read wrong.

    The lower the curve lies and the later it rises, the better confidence tells right readings
    from wrong ones. Points mark the coverages (the best that this split allows), crosses what the
    stored thresholds give.

    Args:
        right: Booleans of shape (N,): whether the whole number is right; N may be 0.
        confidence: Floats of shape (N,), 0 to 1.
        coverages: Of the same readings.
        answers: Of the same readings.

    Returns:
        uint8 [CHART_SIZE, CHART_SIZE, 3].
    """
    figure, axes = _empty_chart("Risk and coverage")
    kept, wrong = risk_coverage_curve(right, confidence)
    # The first few photos, of which one may be wrong, shall not set the scale.
    most = max((*wrong[kept >= 0.5], 0.06))
    axes.plot(kept, wrong, color=RIGHT_COLOUR, linewidth=2.5)
    marked = [coverage for coverage in coverages if coverage.share]
    for coverage in marked:
        axes.axhline(1 - coverage.accuracy, color=LINE_COLOUR, linestyle=":", linewidth=1.5)
        label = f"{100 * coverage.accuracy:g} % right: {100 * coverage.share:.1f} % kept"
        (at,) = np.flatnonzero(kept == coverage.share)
        axes.plot(kept[at], wrong[at], "o", color=RIGHT_COLOUR, markersize=8, label=label)
    for entry in answers:
        if entry.answered.correct:
            axes.plot(
                entry.answered.share,
                1 - entry.right.share,
                "X",
                color=WRONG_COLOUR,
                markersize=10,
                label=f"stored, for {100 * entry.accuracy:g} %: "
                f"{100 * entry.right.share:.1f} % right",
            )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.03 * most, 1.4 * most))
    axes.set(xlabel="photos kept, the most confident first", ylabel="of these read wrong")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", frameon=False, fontsize=_TEXT_SIZE - 1)
    return _pixels(figure)


def confusion_chart(confusions: np.ndarray) -> np.ndarray:
    """Returns the table of labelled and predicted digits: the count and its share of the row.

    Right digits are blue, wrong ones orange; the colour deepens with the square root of the share,
    so that confusions of a few percent stand out. Shares below half a percent aren't written.

    Args:
        confusions: int64 [10, 10], as `svhn.evaluation.confusion.count_digit_confusions` gives it.

    Returns:
        uint8 [CHART_SIZE, CHART_SIZE, 3].
    """
    figure, axes = _empty_chart(f"Digits at the same position: {confusions.sum():,}")
    shares = confusions / np.maximum(confusions.sum(axis=1, keepdims=True), 1)
    right = np.eye(DIGIT_CLASSES, dtype=bool)[..., np.newaxis]
    full = np.where(right, to_rgb(RIGHT_COLOUR), to_rgb(WRONG_COLOUR))
    depth = np.sqrt(shares)[..., np.newaxis]
    axes.imshow(1 - depth * (1 - full))
    for row, column in zip(*np.nonzero(confusions), strict=True):
        dark = shares[row, column] > 0.4
        style = {"color": "white" if dark else "black", "ha": "center", "va": "center"}
        count, percent = confusions[row, column], f"{100 * shares[row, column]:.0f} %"
        axes.text(column, row - 0.16, _short_count(count), size=11, **style)
        if percent != "0 %":
            axes.text(column, row + 0.27, percent, size=9, **style)
    axes.set(xlabel="predicted digit", ylabel="labelled digit")
    axes.set_xticks(range(DIGIT_CLASSES))
    axes.set_yticks(range(DIGIT_CLASSES))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    return _pixels(figure)


def _short_count(count: int) -> str:
    """A count in few characters: "873", "1.2k", "54k"."""
    if count < 1000:
        return str(count)
    thousands = f"{count / 1000:.1f}" if count < 9950 else f"{count / 1000:.0f}"
    return thousands.removesuffix(".0") + "k"


def _empty_chart(title: str) -> tuple[Figure, Axes]:
    inches = CHART_SIZE / _DOTS_PER_INCH
    figure = Figure((inches, inches), dpi=_DOTS_PER_INCH)
    # A fixed place: to let matplotlib find one would take as long as the drawing.
    axes = figure.add_axes((0.15, 0.12, 0.81, 0.81))
    # Thick enough not to vanish where TensorBoard leaves pixels out to shrink a picture.
    axes.grid(color="#d0d0d0", linewidth=1.3)
    for spine in axes.spines.values():
        spine.set_linewidth(1.3)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=_TEXT_SIZE)
    axes.set_title(title, fontsize=_TEXT_SIZE)
    axes.xaxis.label.set_fontsize(_TEXT_SIZE)
    axes.yaxis.label.set_fontsize(_TEXT_SIZE)
    return figure, axes


def _pixels(figure: Figure) -> np.ndarray:
    """What is drawn, uint8 [CHART_SIZE, CHART_SIZE, 3]."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
