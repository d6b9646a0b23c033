"""The table that closes a conversion."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

_NAMED_PHOTOS = 3
"""How many photos are named for each reason; the manifest names all."""


def summary(manifest: Mapping[str, Any]) -> str:
    """Returns a manifest's counts as text: photos by split and length, folders, what was skipped.

    Args:
        manifest: As `svhn.data.manifest.read_manifest` returns it.
    """
    splits, folders = manifest["splits"], manifest["folders"]
    lengths = sorted({length for split in splits.values() for length in split["by_length"]})
    rows = [["split", "photos", *(_digits(length) for length in lengths), "shards", "MB"]]
    for name, split in splits.items():
        counts = [f"{split['by_length'].get(length, 0):,}" for length in lengths]
        size = f"{split['bytes'] / 1e6:,.1f}"
        rows.append([name, f"{split['photos']:,}", *counts, str(len(split["shards"])), size])
    text = _table(rows)
    columns = ("listed", "converted", "reencoded", "skipped", "unlisted")
    rows = [["folder", "listed", "converted", "re-encoded", "skipped", "not listed"]]
    rows += [
        [name, *(f"{folder[column]:,}" for column in columns)] for name, folder in folders.items()
    ]
    text += "\n\n" + _table(rows)
    if manifest["skipped"]:
        text += "\n\n" + _skipped(manifest["skipped"])
    return text


def _skipped(entries: Sequence[Mapping[str, str]]) -> str:
    by_reason = collections.defaultdict(list)
    for entry in entries:
        by_reason[entry["reason"]].append(entry["photo"])
    rows = [["skipped because", "photos", ""]]
    for reason, photos in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        named = ", ".join(photos[:_NAMED_PHOTOS])
        more = ", …" if len(photos) > _NAMED_PHOTOS else ""
        rows.append([reason, f"{len(photos):,}", named + more])
    return _table(rows, left_columns=(0, 2))


def _digits(length: str) -> str:
    return f"{length} digit" if length == "1" else f"{length} digits"


def _table(rows: Sequence[Sequence[str]], left_columns: Sequence[int] = (0,)) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in left_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
