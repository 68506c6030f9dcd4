"""Formulas as MathML, written when the site is built."""

import re

from docutils import nodes
from latex2mathml.converter import convert

SPACE = '<mspace width="0.1667em"></mspace>'
NAME = r"(?:<msub>)?<mi>(?:log|exp|ln|tanh|arg)</mi>(?:<m[in]>\w+</m[in]></msub>)?"
# TeX sets a thin space between the name of a function and what it stands beside; the converter
# leaves it out, and log p becomes logp. Operators (<mo>) bring their own.
BEHIND = re.compile(rf"({NAME})(?=<m[^o])")
BEFORE = re.compile(rf"(</m(?:[in]|sub|sup|row)>)(?={NAME})")
JOINER = "&#8288;"  # no line may begin with the point that follows a formula


def drawn(formula: str, **options) -> str:
    """A formula in TeX as MathML.

    >>> r = drawn(r"x \\log p")
    >>> r.count("<mspace")
    2
    """
    return BEFORE.sub(rf"\1{SPACE}", BEHIND.sub(rf"\1{SPACE}", convert(formula, **options)))


def inline(self, node: nodes.math) -> None:
    self.body.append(drawn(node.astext()) + JOINER)
    raise nodes.SkipNode


def block(self, node: nodes.math_block) -> None:
    formula = drawn(node.astext(), display="block")
    self.body.append(f'<div class="math" tabindex="0">{formula}</div>')
    raise nodes.SkipNode


def setup(app) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
