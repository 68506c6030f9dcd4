"""Write the counted parts of docs/flow.md: one update and one search are run and watched.

What is handed on and its shapes, the functions of the library in the order in which they are
entered, and the frames that lie on the stack at the bottom: nothing of it is written by hand, so it
cannot fall behind the code. Names of sizes are found by their values, which all differ.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from notebooks.paths import ROOT, write_atomically
from torch import Tensor

import seq2seq_lib
from seq2seq_lib.batching import Batch, collate
from seq2seq_lib.decoding import Hypothesis, beam_search
from seq2seq_lib.losses import sequence_loss
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, fit

PAGE = ROOT / "docs" / "flow.md"
LIBRARY = Path(seq2seq_lib.__file__).parent
SIZES = {"B": 4, "S": 6, "T": 5, "V": 11, "E": 7, "H": 8, "L": 2}  # all different, N = B * beams
BEAMS = 3
LETTERS = {size: letter for letter, size in SIZES.items()}
LETTERS |= {SIZES["B"] * BEAMS: "N", BEAMS: "k", 1: "1"}
# Not of the flow: checks on arguments, what several processes send, names of random states.
ASIDE = {"_arguments.py", "processes.py", "runtime.py", "windows.py", "checkpoints.py", "vocab.py"}


def example() -> tuple[Batch, Seq2Seq]:
    """A batch and a model in which no two sizes are equal."""
    torch.manual_seed(0)
    lengths = [(SIZES["S"] - 1 - row, SIZES["T"] - 1 - row % 3) for row in range(SIZES["B"])]
    batch = collate([([4] * source, [5] * target) for source, target in lengths])
    config = Seq2SeqConfig(
        13, SIZES["V"], embed_size=SIZES["E"], hidden_size=SIZES["H"], num_layers=SIZES["L"]
    )
    return batch, Seq2Seq(config)


def searched(batch: Batch, model: Seq2Seq) -> list[list[Hypothesis]]:
    """Two new tokens for every sentence."""
    sources = batch.src, batch.src_lengths
    return beam_search(model, *sources, num_beams=BEAMS, max_new_tokens=2)


@dataclass
class Call:
    """A function of the library that was entered, and what it returned."""

    name: str
    depth: int
    returned: Any = None


class Watch:
    """Every call of the library's functions, and the deepest stack that lies over one of torch's.

    Args:
        bottom: the function of torch to wait for.
    """

    def __init__(self, bottom: Callable) -> None:
        self.bottom = inspect.unwrap(bottom).__code__
        self.calls: list[Call] = []
        self.stack: list[str] = []
        self._open: list[tuple[FrameType, Call]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        old = sys.getprofile()
        sys.setprofile(self._see)
        try:
            yield
        finally:
            sys.setprofile(old)

    def _see(self, frame: FrameType, event: str, value: Any) -> None:
        if event == "call" and frame.f_code is self.bottom and not self.stack:
            self.stack = [call.name for _, call in self._open]
        if event not in ("call", "return") or not _ours(frame.f_code):
            return
        if event == "call":
            call = Call(_name(frame), len(self._open))
            self._open.append((frame, call))
            self.calls.append(call)
        elif event == "return" and self._open and self._open[-1][0] is frame:
            self._open.pop()[1].returned = value


@cache
def _ours(code: CodeType) -> bool:
    path = Path(code.co_filename)
    return LIBRARY in path.parents and path.name not in ASIDE and not code.co_name.startswith("<")


def _name(frame: FrameType) -> str:
    """``Seq2Seq.forward`` of a method, by the class of its object; else the function's name."""
    owner = frame.f_locals.get("self")
    name = frame.f_code.co_name
    return f"{type(owner).__name__}.{name}" if owner is not None else name


def shown(value: Any) -> str:
    """A value in words: tensors by the names of their sizes, objects by their fields.

    Empty for what is neither, and for a tensor with a size that has no name.
    """
    if isinstance(value, Tensor):
        named = all(size in LETTERS for size in value.shape)
        return f"[{', '.join(LETTERS[size] for size in value.shape)}]" if named else ""
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: getattr(value, f.name) for f in fields(value)}
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        parts = value._asdict()
    elif isinstance(value, tuple):
        return ", ".join(filter(None, map(shown, value)))
    elif isinstance(value, list) and value:
        inside = shown(value[0])
        return f"list of {inside}" if inside else ""
    else:
        return ""
    tensors = {name: shown(part) for name, part in parts.items() if isinstance(part, Tensor)}
    inside = ", ".join(f"{name} {shape}" for name, shape in tensors.items())
    return f"{type(value).__name__}({inside})" if inside else type(value).__name__


def short(value: Any) -> str:
    """The same without what is inside an object."""
    if type(value) is tuple:
        return ", ".join(filter(None, map(short, value)))
    return shown(value).partition("(")[0]


def update() -> Watch:
    """One batch, one step of ``fit``, down to torch's cross-entropy."""
    batch, model = example()
    watch = Watch(torch.nn.functional.cross_entropy)
    with watch.watching():
        fit(model, [batch], config=TrainConfig(epochs=1), progress=False)
    return watch


def search() -> Watch:
    """Two steps of a beam, down to torch's log-softmax."""
    batch, model = example()
    watch = Watch(torch.nn.functional.log_softmax)
    with watch.watching():
        searched(batch, model)
    return watch


def tree(watch: Watch, first: str) -> str:
    """The calls from ``first`` on that return tensors or objects.

    Each function stands where it was first called, under the last one that is shown above it, with
    what it returned last: in a search the first step has B rows, and all others have N.
    """
    start = next(i for i, call in enumerate(watch.calls) if call.name == first)
    top = watch.calls[start].depth
    rows: dict[str, tuple[int, str]] = {}
    above: list[int] = []  # the depths of the shown functions that a call stands in
    for call in watch.calls[start:]:
        if call.depth < top or (call.depth == top and call.name != first):
            break
        words = short(call.returned)
        if not words:
            continue
        while above and above[-1] >= call.depth:
            above.pop()
        indent, _ = rows.get(call.name, (len(above), ""))
        rows[call.name] = indent, words
        above.append(call.depth)
    lines = [f"{'  ' * indent + name:<46}{words}" for name, (indent, words) in rows.items()]
    return "\n".join(["```text", *lines, "```"])


def frames(watch: Watch) -> str:
    """The stack at the bottom, counted."""
    return (
        f"**{len(watch.stack)} frames**: " + " → ".join(f"`{name}`" for name in watch.stack) + "."
    )


def things() -> str:
    """What is handed on, with the shapes of a run."""
    batch, model = example()
    encoded = model.encoder(batch.src, batch.src_lengths)
    state = model.decoder.start(encoded)
    output = model.decoder(batch.tgt_in, state)
    loss = sequence_loss(output.logits, batch.tgt_out, batch.tgt_mask)
    ((best, *_), *_) = searched(batch, model)
    rows = torch.arange(SIZES["B"]).repeat_interleave(BEAMS)  # each sentence as often as beams
    log_probs, _ = model.step(batch.tgt_in[rows, 0], state.select(rows))
    kept = f"Hypothesis({', '.join(field.name for field in fields(best))})"
    table = [
        ("`Batch`", "`batching.collate`", shown(batch)),
        ("`EncoderOutput`", "`encoder.Encoder`", shown(encoded)),
        ("`DecoderState`", "`decoder.start`, then each pass and each step", shown(state)),
        ("logits", "`seq2seq.Seq2Seq`", shown(output.logits)),
        ("`LossSum`", "`losses.sequence_loss`", shown(loss)),
        (
            "log-probabilities",
            "`Seq2Seq.step`, for N open outputs",
            shown(log_probs),
        ),
        ("`Hypothesis`", "`decoding`, a list for each sentence", kept),
    ]
    lines = ["| what | made by | holds |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {by} | `{holds}` |" for what, by, holds in table])


def sections() -> dict[str, str]:
    """The counted parts of the page, by the name of their place."""
    one, two = update(), search()
    return {
        "things": things(),
        "update": f"{tree(one, 'train_step')}\n\nFrom `fit` to `F.cross_entropy`, {frames(one)}",
        "search": f"{tree(two, 'beam_search')}\n\nFrom there to `F.log_softmax`, {frames(two)}",
    }


def with_sections(page: str, parts: dict[str, str]) -> str:
    """The page with its counted parts replaced."""
    for name, text in parts.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}"
    return page


def main() -> int:
    write_atomically(PAGE, with_sections(PAGE.read_text(encoding="utf-8"), sections()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
