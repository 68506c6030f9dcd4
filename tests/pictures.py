"""Reading the explorers' SVG, for the tests."""

import xml.etree.ElementTree as ET

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


def colour(name: str) -> list[float]:
    """Red, green and blue in 0 .. 1, of ``"#rrggbb"``."""
    return [part / 255 for part in bytes.fromhex(name[1:])]


def luminance(rgb: list[float]) -> float:
    """WCAG 2, of red, green and blue in 0 .. 1."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
