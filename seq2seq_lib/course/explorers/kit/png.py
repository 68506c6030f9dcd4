"""A picture as PNG, for pages that draw neither a panel nor SVG."""

ZOOM = 1.5  # pixels of the PNG for one of the SVG: sharp on most screens, and still small


def png(svg: str) -> bytes:
    """The picture, drawn by resvg with the fonts of this machine; about 0.1 s."""
    import resvg_py  # a renderer of 4 MB: only for those who store a picture

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=ZOOM))
