"""The code in docs/laws.md runs, and prints what stands there."""

import contextlib
import io
import re
from pathlib import Path

import torch
from torch import nn

from seq2seq_lib import laws

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "laws.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def without_numbers(text: str) -> str:
    """The weights are random: what differs is fixed, and by how much is not."""
    return re.sub(r"\d+(\.\d+)?(e-\d+)?", "#", text)


def test_the_document_does_what_it_says():
    torch.manual_seed(0)
    names, printed = {}, ""
    for kind, block in BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")):
        if kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(block, DOCUMENT.name, "exec"), names)
            printed = output.getvalue()
        else:
            assert without_numbers(printed) == without_numbers(block)


def test_a_law_calls_as_often_as_the_document_says():
    words, out = nn.Embedding(13, 4), nn.Linear(4, 13)
    parameters, calls = [*words.parameters(), *out.parameters()], []

    def logits(batch):
        calls.append(len(batch))
        source = (words(batch.src) * batch.src_mask[..., None]).sum(1, keepdim=True)
        return out(torch.tanh(words(batch.tgt_in) + source))

    def loss(batch):
        scores = logits(batch).transpose(1, 2)
        total = nn.functional.cross_entropy(scores, laws.labels(batch), reduction="sum")
        return total, batch.tgt_mask.sum()

    gradients = laws.summed_gradients(loss, parameters)
    windows = []

    def counted(shards):
        windows.append(len(shards))
        return gradients(shards)

    def times(judge, counter=calls):
        counter.clear()
        assert judge(), judge()
        return len(counter)

    said = (
        f"`logits` {times(lambda: laws.batch_invariance(logits=logits))} times in law 1, "
        f"{times(lambda: laws.parallel_stepwise(logits))} times in law 4 and "
        f"{times(lambda: laws.reads_source(logits))} times in `reads_source`, "
        f"an update of law 7 {times(lambda: laws.shard_invariance(counted), windows)} times"
    )
    assert said in DOCUMENT.read_text(encoding="utf-8")
    assert times(lambda: laws.gradient_flow(loss, parameters)) <= 5 * len(parameters)


def test_ten_lines_are_enough():
    first = BLOCK.search(DOCUMENT.read_text(encoding="utf-8"))[2]
    assert len([line for line in first.splitlines() if line.strip()]) <= 10


def test_every_law_is_in_the_table():
    text = DOCUMENT.read_text(encoding="utf-8")
    functions = re.findall(r"^\| (\d) \| `(\w+)\(", text, re.MULTILINE)
    assert [number for number, _ in functions] == list("1234567")
    assert all(callable(getattr(laws, name)) for _, name in functions)
