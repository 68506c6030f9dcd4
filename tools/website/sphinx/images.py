"""Pictures of texts: loaded when they come near the view, at a place that is kept for them.

A drawing has words in it, so on a narrow page it is not made smaller without end: it scrolls.
"""

import posixpath
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx.util.images import get_image_size


def visit(self, node: nodes.image) -> None:
    source = node["uri"]
    width, height = get_image_size(Path(self.builder.srcdir) / source)
    address = posixpath.join(self.builder.imgpath, quote(self.builder.images[source]))
    size = {"width": round(width), "height": round(height)}
    image = self.emptytag(node, "img", "", src=address, alt=node["alt"], loading="lazy", **size)
    self.body.append(f'<span class="drawing">{image}</span>')


def depart(self, node: nodes.image) -> None:
    pass


def setup(app) -> dict[str, bool]:
    app.add_node(nodes.image, override=True, html=(visit, depart))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
