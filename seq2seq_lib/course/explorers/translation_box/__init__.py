"""A box to type into: the model's answer, how sure it is, and where it looked.

The model is the caller's: any ``Translator``, trained a moment ago or loaded. The box asks nothing
and has one state, the answer to its example.
"""

from collections.abc import Sequence
from typing import Any

from seq2seq_lib.course.explorers.kit.controls import Text
from seq2seq_lib.course.explorers.kit.explorer import Explorer, State
from seq2seq_lib.course.explorers.translation_box.compute import Answer, compute
from seq2seq_lib.course.explorers.translation_box.picture import draw
from seq2seq_lib.translate import Translator

__all__ = ["box", "explorer_of"]
HINT = "The answer comes when you pause, or press Enter."


def box(
    translator: Translator,
    example: str,
    label: str = "your text",
    examples: Sequence[str] = (),
) -> Any:
    """Open a box for this model.

    Args:
        translator: answers one text.
        example: what the box begins with; if the model fails on it, so does this call.
        label: stands before the field.
        examples: texts to try, each a button.

    Returns:
        The live panel; a still where nobody could use one.
    """
    return explorer_of(translator, example, label, examples).open()


def explorer_of(
    translator: Translator,
    example: str,
    label: str = "your text",
    examples: Sequence[str] = (),
) -> Explorer:
    """The box as an explorer: what is typed is the one parameter of its ``compute``."""

    def answer(*, text: str = example) -> Answer:
        return compute(translator, text)

    field = Text("text", label, HINT, "Answer", (example, *examples) if examples else ())
    return Explorer(
        name="translation_box",
        title="Translation box",
        compute=answer,
        draw=draw,
        states={"example": State(f"{label}: {example}")},
        controls=((field,),),
    )
