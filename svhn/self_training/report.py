"""What was decided about each photo: a JSON file, lines on the screen, and pictures to look at."""

import collections
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from svhn.drawing import contact_sheet, draw_reading
from svhn.files import write_whole
from svhn.geometry import clip_boxes, grow_box
from svhn.self_training.judgement import MISSED_DIGIT, Judgement

REPORT_NAME = "report.json"

_COLUMNS = 10
_SURROUNDINGS = 1.5
"""By how much of its size the box around a number is grown on the sheets."""

LoadPhoto = Callable[[Judgement], np.ndarray]
"""From a judgement to the photo's pixels, uint8 (H, W, 3)."""


def summarise(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """Returns how many photos there are, how many are kept, by length, and refused, by reason."""
    kept = [judgement for judgement in judgements if judgement.kept]
    lengths = collections.Counter(len(judgement.label) for judgement in kept)
    reasons = collections.Counter(
        judgement.reason for judgement in judgements if not judgement.kept
    )
    return {
        "photos": len(judgements),
        "kept": len(kept),
        "kept_by_length": {str(length): lengths[length] for length in sorted(lengths)},
        "refused_by_reason": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    }


def summary_text(summary: dict[str, Any]) -> str:
    """Returns a summary for people."""
    share = summary["kept"] / max(summary["photos"], 1)
    lines = [f"{summary['kept']:,} of {summary['photos']:,} photos are kept ({share:.1%})"]
    lines += [
        f"  {int(length)} digit{'s' * (length != '1')}: {count:,}"
        for length, count in summary["kept_by_length"].items()
    ]
    lines += [
        f"refused, {reason}: {count:,}" for reason, count in summary["refused_by_reason"].items()
    ]
    return "\n".join(lines)


def write_report(
    folder: Path, settings: dict[str, Any], summary: dict[str, Any], judgements: Sequence[Judgement]
) -> None:
    """Writes `FOLDER/report.json`: settings, counts, and all judgements in the photos' order.

    Raises:
        OSError: If it can't be written.
    """
    head = json.dumps({"settings": settings, **summary}, indent=1)
    # A photo a line.
    records = ",\n".join(json.dumps(judgement.as_record()) for judgement in judgements)
    text = f'{head.removesuffix("}").rstrip()},\n "judgements": [\n{records}\n]}}\n'
    write_whole(folder / REPORT_NAME, text.encode())


def write_sheets(
    folder: Path, judgements: Sequence[Judgement], load: LoadPhoto, photos: int
) -> list[Path]:
    """Writes the contact sheets, and returns where they lie.

    Args:
        folder: Where they go.
        judgements: Of all photos.
        load: Gives a photo's pixels.
        photos: How many photos a sheet has at most; 0 for no sheets.

    Raises:
        OSError: If they can't be written.
    """
    surest_first = sorted(
        (judgement for judgement in judgements if judgement.confidence is not None),
        key=lambda judgement: (-judgement.confidence, judgement.photo),
    )
    kept = [judgement for judgement in surest_first if judgement.kept]
    sheets = {
        "surest_kept.png": kept[:photos],
        "least_sure_kept.png": kept[::-1][:photos],
        "surest_refused.png": [j for j in surest_first if not j.kept][:photos],
    }
    written = []
    for name, chosen in sheets.items():
        path = folder / name
        path.unlink(missing_ok=True)  # one of an earlier run
        if not chosen:
            continue
        contents = io.BytesIO()
        contact_sheet(
            [_picture(judgement, load(judgement)) for judgement in chosen],
            [_caption(judgement) for judgement in chosen],
            _COLUMNS,
        ).save(contents, "PNG")
        write_whole(path, contents.getvalue())
        written.append(path)
    return written


def _picture(judgement: Judgement, photo: np.ndarray) -> np.ndarray:
    """The number with what is around it, and the boxes of its digits."""
    height, width = photo.shape[:2]
    around = clip_boxes(grow_box(np.array(judgement.box), _SURROUNDINGS), width, height)[0]
    left, top = np.floor(around[:2]).astype(int)
    right, bottom = np.ceil(around[:2] + around[2:]).astype(int)
    part = photo[top : max(bottom, top + 1), left : max(right, left + 1)]
    if not part.size:
        part, left, top = photo, 0, 0
    boxes = judgement.digit_boxes - [left, top, 0, 0]
    return np.asarray(draw_reading(part, None, judgement.reading or "no number", digit_boxes=boxes))


def _caption(judgement: Judgement) -> str:
    lines = [
        judgement.photo,
        f"read {judgement.reading or 'nothing'}  {judgement.confidence:.1%}",
        f"found {judgement.number}  {judgement.score:.1%}",
    ]
    if judgement.reason == MISSED_DIGIT:
        lines.append(f"beside {', '.join(judgement.wider_readings)}")
    if judgement.consistency is not None:
        lines[-1] += f"  alike {judgement.consistency:.0%}"
    return "\n".join(lines + ([judgement.reason] if judgement.reason else []))
