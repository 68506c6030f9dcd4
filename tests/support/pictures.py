"""Reading the explorers' SVG, for the tests."""

import itertools
import xml.etree.ElementTree as ET

from seq2seq_lib.course.explorers.kit.svg import LIGHT
from seq2seq_lib.course.explorers.kit.table import FIRST

SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> ET.Element:
    """The root of a picture, which must be one for screen readers, too."""
    root = ET.fromstring(picture)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    return root


def of_class(root: ET.Element, *names: str) -> list[ET.Element]:
    """The elements that have all these classes."""
    return [
        element for element in root.iter() if set(names) <= set(element.get("class", "").split())
    ]


def words(root: ET.Element) -> list[str]:
    """The lines of text in a picture."""
    return [text.text for text in root.iter(f"{SVG}text")]


def unreadable(root: ET.Element) -> list[str]:
    """The texts that are cut off or too small, touch a frame, are struck by a line or another."""
    width, height = float(root.get("width")), float(root.get("height"))
    found, boxes, plain = [], [], []
    for text in root.iter(f"{SVG}text"):
        size = float(text.get("font-size"))
        # a letter is about half as wide as high; exactly 0.6 in a monospaced font
        long = size * len(text.text) * (0.602 if text.get("font-family") else 0.52)
        shift = {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
        x, y = float(text.get("x")) - shift * long, float(text.get("y"))
        if x < 0 or x + long > width or y - size < 0 or y + 4 > height:
            found.append(f"cut off: {text.text!r}")
        if size < 12:
            found.append(f"smaller than 12 pixels: {text.text!r}")
        boxes.append((x, x + long, y - 0.7 * size, y, text.text))
        if text.get("stroke") is None:  # no halo
            plain.append(boxes[-1])
    for (a0, a1, a2, a3, a), (b0, b1, b2, b3, b) in itertools.combinations(boxes, 2):
        if a0 < b1 and b0 < a1 and a2 < b3 and b2 < a3:
            found.append(f"over each other: {a!r} and {b!r}")
    frames = [rect for rect in root.iter(f"{SVG}rect") if rect.get("stroke") not in (None, LIGHT)]
    for frame, (left, right, top, bottom, text) in itertools.product(frames, boxes):
        x, y, width, height = (float(frame.get(name)) for name in ("x", "y", "width", "height"))
        if top < y + height and y < bottom and any(left < side <= right for side in (x, x + width)):
            found.append(f"on a frame: {text!r}")
    for line in root.iter(f"{SVG}polyline"):
        points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        for (start, end), box in itertools.product(itertools.pairwise(points), plain):
            if _through(start, end, box):
                found.append(f"struck by a line: {box[4]!r}")
    return found


def _through(start: tuple, end: tuple, box: tuple) -> bool:
    """Whether a line passes within a box (left, right, top, bottom, ...), and not at its edge."""
    left, right, top, bottom, _ = box
    edge = 1 + 0.05 * (right - left)  # its width is estimated
    first, last = 0.0, 1.0  # the part of the line that is in the box
    for a, b, low, high in zip(
        start, end, (left + edge, top + 1), (right - edge, bottom - 1), strict=True
    ):
        if a == b:
            if not low < a < high:
                return False
            continue
        enters, leaves = sorted(((low - a) / (b - a), (high - a) / (b - a)))
        first, last = max(first, enters), min(last, leaves)
    return first < last


def drawn(table, index) -> str:
    """One picture of a table, put together."""
    return "".join(table["pieces"][ord(piece) - FIRST] for piece in table["pictures"][index])


def follow(table, index, key, value) -> int:
    """The view that ``panel.js`` goes to when a control of a table's view is moved."""
    (data,) = [d for row in table["views"][index]["rows"] for d in row if d["key"] == key]
    values = [o["value"] for o in data["options"]] if "options" in data else None
    return data["to"][values.index(value) if values else value - data["low"]]


def colour(name: str) -> list[float]:
    """Red, green and blue in 0 .. 1, of ``"#rrggbb"``."""
    return [part / 255 for part in bytes.fromhex(name[1:])]


def luminance(rgb: list[float]) -> float:
    """WCAG 2, of red, green and blue in 0 .. 1."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
