"""The patient of chapter 1's bug clinic: the target array of a textbook, as it was in 2019.

Rewritten from scratch, small. https://github.com/d2l-ai/d2l-en/pull/410 says that EOS "will get
trimmed off" where a sentence is longer than the array, and was closed unmerged.
"""

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_lib.corpora import phrases
from seq2seq_lib.vocab import EOS_ID, UNK_ID, Vocab

NUM_STEPS, PHRASES = 7, 6000

# What `reproduce_report()` returns, stored so that nobody waits for the corpus.
REPORT = """\
6000 French phrases in rows of num_steps = 7

A  entries of the vocabulary   263
B  rows of each length         3: 221   4: 419   5: 691   6: 353   7: 4316
C  rows that hold an EOS       2921, 49%
D  tokens that are UNK         0
E  cells that are PAD          9%
"""


def patient_build(lines: list[list[int]], num_steps: int) -> tuple[Tensor, Tensor]:
    """Should give rows that end with EOS, then PAD; and their lengths, EOS counted.

    Args:
        lines: ids of words, without BOS and EOS.
        num_steps: the width of the array; a longer sentence is cut at its end.

    Returns:
        ids int64 ``[B, num_steps]`` and lengths int64 ``[B]``.
    """
    ids = torch.zeros(len(lines), num_steps, dtype=torch.int64)
    lengths = torch.zeros(len(lines), dtype=torch.int64)
    for row, line in enumerate(lines):
        sentence = [*line, EOS_ID][:num_steps]
        ids[row, : len(sentence)] = torch.tensor(sentence)
        lengths[row] = len(sentence)
    return ids, lengths


def reproduce_report(build: Callable = patient_build) -> str:
    """What one sees of 6,000 French phrases after ``build``."""
    targets = [pair.target for pair in phrases(PHRASES, 0, 0).train]
    vocab = Vocab.build(targets)
    ids, lengths = build([vocab.encode(words) for words in targets], NUM_STEPS)
    rows = len(ids)
    ended = int((ids == EOS_ID).any(1).sum())
    counts = "   ".join(f"{n}: {count}" for n, count in sorted(Counter(lengths.tolist()).items()))
    return (
        f"{rows} French phrases in rows of num_steps = {NUM_STEPS}\n\n"
        f"A  entries of the vocabulary   {len(vocab)}\n"
        f"B  rows of each length         {counts}\n"
        f"C  rows that hold an EOS       {ended}, {ended / rows:.0%}\n"
        f"D  tokens that are UNK         {int((ids == UNK_ID).sum())}\n"
        f"E  cells that are PAD          {1 - lengths.sum().item() / ids.numel():.0%}\n"
    )


def data_report() -> str:
    """The report that the bug really produces."""
    return REPORT
