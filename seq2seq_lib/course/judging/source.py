"""The source of a reference, as a learner can paste it."""

import ast
import inspect
import textwrap
from collections.abc import Callable


def to_paste(function: Callable) -> str:
    """The source without annotations: it runs in a notebook that imports no ``Tensor``.

    Comments and line breaks stay as they are.
    """
    source = textwrap.dedent(inspect.getsource(function)).encode()  # ast counts bytes
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(line: int, column: int) -> int:
        return starts[line - 1] + column

    spans = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg) and node.annotation:
            begin = place(node.lineno, node.col_offset + len(node.arg.encode()))
            spans.append((begin, node.annotation))
        elif isinstance(node, ast.FunctionDef) and node.returns:
            arrow = source.rindex(b"->", 0, place(node.returns.lineno, node.returns.col_offset))
            spans.append((len(source[:arrow].rstrip()), node.returns))
    for begin, annotation in sorted(spans, key=lambda span: span[0], reverse=True):
        end = place(annotation.end_lineno, annotation.end_col_offset)
        source = source[:begin] + source[end:]
    return source.decode()
