"""Pictures for people: contact sheets and photos with the number that was read on them.

Text is set in Pillow's built-in scalable font, so drawings look the same on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

BACKGROUND = "#1b1e23"
TEXT_COLOUR = "#f2f2f2"
BOX_COLOUR = "#ffb000"

MAX_SIDE = 1024
"""The longer side of an annotated photo in pixels, at most."""

_SMALLEST_TEXT = 7  # pixels; below, Pillow's built-in font can't be made out


def contact_sheet(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str],
    columns: int,
    tile_size: int = 128,
    colours: Sequence[str] | None = None,
) -> Image.Image:
    """Returns the pictures side by side in rows, each with its caption below.

    Small pictures are scaled up and large ones down to fill their tile, keeping their shape; a row
    is as high as its highest picture.
    Captions are wrapped, and set smaller if a word does not fit; no text is lost.

    Args:
        pictures: uint8 arrays of shape (height, width, 3); sizes may differ.
        captions: As many texts; line breaks are kept.
        columns: Pictures in a row.
        tile_size: Width in pixels of the tile that a picture has, and its greatest height.
        colours: The captions' colours, as Pillow names them; all light grey by default.

    Raises:
        ValueError: If there are no pictures, no columns, or captions or colours don't match.
    """
    colours = [TEXT_COLOUR] * len(pictures) if colours is None else colours
    if not len(pictures) or columns < 1 or not len(pictures) == len(captions) == len(colours):
        raise ValueError(
            "A contact sheet needs pictures, columns, and a caption and a colour for each picture. "
            f"Received: {len(pictures)} pictures, {columns} columns, {len(captions)} captions, "
            f"{len(colours)} colours"
        )
    gap = max(2, tile_size // 16)
    tiles = [_fit_picture(picture, tile_size) for picture in pictures]
    texts = [_fit_text(caption, tile_size, tile_size // 9) for caption in captions]
    starts = range(0, len(tiles), columns)
    rows = [range(start, min(start + columns, len(tiles))) for start in starts]
    tile_heights = [max(tiles[index].height for index in row) for row in rows]
    text_heights = [max(texts[index].height for index in row) for row in rows]
    sheet = Image.new(
        "RGB",
        (
            len(rows[0]) * (tile_size + gap) + gap,
            sum(tile_heights) + sum(text_heights) + len(rows) * 2 * gap + gap,
        ),
        BACKGROUND,
    )
    top = gap
    for row, tile_height, text_height in zip(rows, tile_heights, text_heights, strict=True):
        for column, index in enumerate(row):
            left = gap + column * (tile_size + gap)
            tile = tiles[index]
            across, down = (tile_size - tile.width) // 2, (tile_height - tile.height) // 2
            sheet.paste(tile, (left + across, top + down))
            texts[index].draw(sheet, left, top + tile_height + gap // 2, colours[index])
        top += tile_height + text_height + 2 * gap
    return sheet


@dataclass(frozen=True)
class DrawnNumber:
    """A number as it is drawn on its photo."""

    text: str
    """What was read, and how sure it is, such as "75  97.3 %"; set below the photo."""

    box: Sequence[float] | None = None
    """Around the number: left, top, width, height in pixels of the photo; or None."""

    digit_boxes: Sequence[Sequence[float]] = ()
    """Around single digits, drawn thinner."""

    colour: str = BOX_COLOUR
    """Of the text and the boxes."""

    tag: str = ""
    """A short text beside the box, which tells it from the others."""


def draw_reading(
    photo: np.ndarray,
    box: Sequence[float] | None,
    text: str,
    *,
    digit_boxes: Sequence[Sequence[float]] = (),
    colour: str = BOX_COLOUR,
    min_side: int = 320,
    max_side: int = MAX_SIDE,
) -> Image.Image:
    """Returns the photo with a text below it and boxes on it: `draw_numbers` for a single number.

    Args:
        photo: uint8 array of shape (height, width, 3).
        box: The box around the number: left, top, width, height in pixels of the photo; or None.
        text: What was read, and how sure it is, such as "75  97.3 %".
        digit_boxes: Boxes around single digits, drawn thinner.
        colour: Of the text and the boxes.
        min_side: Pixels; shorter photos are scaled up.
        max_side: Pixels; longer photos are scaled down.
    """
    number = DrawnNumber(text, box, digit_boxes, colour)
    return draw_numbers(photo, [number], min_side=min_side, max_side=max_side)


def draw_numbers(
    photo: np.ndarray,
    numbers: Sequence[DrawnNumber],
    *,
    min_side: int = 320,
    max_side: int = MAX_SIDE,
) -> Image.Image:
    """Returns the photo with the numbers' texts below it, in their order, and their boxes on it.

    The longer side of the photo is scaled to between `min_side` and `max_side` pixels, so that
    the text can be read on a photo of 30 pixels and on one of 4,000.

    Args:
        photo: uint8 array of shape (height, width, 3).
        numbers: Where boxes overlap, that of the first lies on top.
        min_side: Pixels; shorter photos are scaled up.
        max_side: Pixels; longer photos are scaled down.
    """
    longer = max(photo.shape[:2])
    scale = min(max(longer, min_side), max_side) / longer
    scaled = _resize(photo, scale)
    line_width = max(2, round(max(scaled.size) / 200))
    pen = ImageDraw.Draw(scaled)
    for number in reversed(numbers):
        for digit_box in number.digit_boxes:
            _draw_box(pen, scaled.size, digit_box, scale, number.colour, max(1, line_width // 2))
        if number.box is not None:
            # Beside the digits' boxes, on whose outer edges it would lie else.
            gap = line_width if number.digit_boxes else 0
            _draw_box(pen, scaled.size, number.box, scale, number.colour, line_width, gap)
            _draw_tag(pen, scaled.size, number, scale, gap)

    width = max(scaled.width, min_side // 2)
    padding = max(4, width // 60)
    captions = [
        _fit_text(number.text, width - 2 * padding, max(18, width // 14)) for number in numbers
    ]
    text_height = sum(caption.height for caption in captions)
    drawing = Image.new("RGB", (width, scaled.height + text_height + 2 * padding), BACKGROUND)
    drawing.paste(scaled, ((width - scaled.width) // 2, 0))
    top = scaled.height + padding
    for caption, number in zip(captions, numbers, strict=True):
        caption.draw(drawing, padding, top, number.colour)
        top += caption.height
    return drawing


def preview(photo: np.ndarray, max_side: int = MAX_SIDE) -> np.ndarray:
    """Returns the photo itself, or scaled down so that no side is longer than `max_side` pixels.

    Args:
        photo: uint8 array of shape (height, width, 3).
        max_side: Pixels.
    """
    longer = max(photo.shape[:2])
    return photo if longer <= max_side else np.asarray(_resize(photo, max_side / longer))


def _fit_picture(picture: np.ndarray, size: int) -> Image.Image:
    return _resize(picture, size / max(picture.shape[:2]))


def _resize(picture: np.ndarray, scale: float) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(picture, np.uint8))
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return (
        image
        if size == image.size
        else image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    )


def _draw_box(
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: Sequence[float],
    scale: float,
    colour: str,
    width: int,
    gap: int = 0,
) -> None:
    """Draws a box, its lines within the picture of that size: boxes often end where photos do."""
    left, top, box_width, box_height = (float(value) * scale for value in box)
    right, bottom = left + max(box_width, 0), top + max(box_height, 0)
    corners = ((left - gap, top - gap), (right + gap, bottom + gap))
    within = [
        tuple(min(max(value, 0), side - 1) for value, side in zip(corner, size, strict=True))
        for corner in corners
    ]
    pen.rectangle(within, outline=colour, width=width)


def _draw_tag(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], number: DrawnNumber, scale: float, gap: int
) -> None:
    """Writes a number's tag above its box, or below where there is no room, within the photo."""
    if not number.tag:
        return
    font = ImageFont.load_default(max(11, max(size) // 40))
    left, top, _, box_height = (float(value) * scale for value in number.box)
    tag_left, tag_top, tag_right, tag_bottom = pen.textbbox((0, 0), number.tag, font=font)
    width, height = tag_right - tag_left + 6, tag_bottom - tag_top + 6
    above, below = top - gap - height, top + box_height + gap
    y = above if above >= 0 else min(below, size[1] - height)
    x = max(0, min(left - gap, size[0] - width))
    pen.rectangle((x, y, x + width, y + height), fill=BACKGROUND)
    pen.text((x + 3 - tag_left, y + 3 - tag_top), number.tag, fill=number.colour, font=font)


class _FittedText:
    """Lines of text with the font in which all of them fit the width."""

    def __init__(self, lines: list[str], font: ImageFont.FreeTypeFont, width: int):
        self._lines, self._font, self._width = lines, font, width
        ascent, descent = font.getmetrics()
        self._line_height = ascent + descent
        self.height = self._line_height * len(lines)

    def draw(self, image: Image.Image, left: int, top: int, colour: str) -> None:
        pen = ImageDraw.Draw(image)
        for index, line in enumerate(self._lines):
            x = left + (self._width - self._font.getlength(line)) / 2
            pen.text((x, top + index * self._line_height), line, fill=colour, font=self._font)


def _fit_text(text: str, width: int, font_size: int) -> _FittedText:
    """Wraps the text at spaces; shrinks the font for long words; breaks words as a last resort."""
    for size in range(max(font_size, _SMALLEST_TEXT), _SMALLEST_TEXT - 1, -1):
        font = ImageFont.load_default(size)
        lines = [line for part in text.split("\n") for line in _wrap(part, font, width)]
        if all(font.getlength(line) <= width for line in lines):
            return _FittedText(lines, font, width)
    return _FittedText(
        [piece for line in lines for piece in _break_word(line, font, width)], font, width
    )


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    if font.getlength(text) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _break_word(line: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    pieces = [""]
    for character in line:
        if pieces[-1] and font.getlength(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
