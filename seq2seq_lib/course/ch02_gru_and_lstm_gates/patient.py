"""The patient of chapter 2's bug clinic: a summary of both directions that mixes sentences.

Rewritten from scratch, small. A reader of Sentence-VAE asked about the axes of ``hidden`` in
https://github.com/timbmg/Sentence-VAE/issues/15 (2019, open); the way back, from a summary to a
state, is https://github.com/timbmg/Sentence-VAE/issues/20.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import FLAGS, NOISE, flag_batch

VOCAB_SIZE, EMBED_SIZE, HIDDEN_SIZE = 8, 5, 3
K, STEPS, ROWS, UNITS = 5, 150, 32, 16  # of the log
SHOWN, SIZES = (1, 50, 100, 150), (1, 2, 32, 512)

# What `reproduce_log(mixed)` writes, stored so that nobody waits for a training run.
LOG = """\
task   name the first of 6 symbols, one of 4; guessing is right for 0.25, loss log 4 = 1.386
model  embedding 8, GRU of 16 units both ways, linear; batches of 32 rows

  step     loss   gradient norm
     1    1.393           0.386
    50    1.414           0.274
   100    1.411           0.231
   150    1.364           0.216

The same 512 new rows, the same weights, model.eval():
  accuracy,   1 rows at a time   0.76
  accuracy,   2 rows at a time   0.47
  accuracy,  32 rows at a time   0.26
  accuracy, 512 rows at a time   0.23
"""


def make_encoder() -> tuple[nn.Embedding, nn.GRU]:
    """An embedding and a GRU that reads both ways, with fixed random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        embedding = nn.Embedding(VOCAB_SIZE, EMBED_SIZE)
        gru = nn.GRU(EMBED_SIZE, HIDDEN_SIZE, batch_first=True, bidirectional=True)
    return embedding.requires_grad_(False), gru.requires_grad_(False)


embedding, gru = make_encoder()


def patient_encode(src: Tensor, lengths: Tensor) -> Tensor:
    """Should be the summary of each sentence, read both ways. It runs, and the shape is right.

    Args:
        src: int64 ``[B, S]``, ids below 8.
        lengths: int64 ``[B]``.

    Returns:
        floats ``[B, 2H]``.
    """
    packed = pack_padded_sequence(embedding(src), lengths, batch_first=True, enforce_sorted=False)
    _, h_n = gru(packed)
    return h_n.view(len(src), -1)


# ---------------------------------------------------------------- the log


def mixed(h_n: Tensor) -> Tensor:
    """The patient's way from ``[2, B, H]`` to ``[B, 2H]``."""
    return h_n.reshape(h_n.size(1), -1)


class Reader(nn.Module):
    """Names the flag of a row from the final states of a GRU that reads both ways."""

    def __init__(self, summary: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(FLAGS + NOISE, 8)
        self.gru = nn.GRU(8, UNITS, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * UNITS, FLAGS)
        self.summary = summary

    def forward(self, src: Tensor) -> Tensor:
        """int64 ``[B, S]`` -> logits ``[B, 4]``."""
        return self.output(self.summary(self.gru(self.embedding(src))[1]))


def reproduce_log(
    summary: Callable[[Tensor], Tensor] = mixed, seed: int = 0
) -> tuple[str, list[float], dict[int, float]]:
    """Train a reader, then let it read 512 new rows, some at a time.

    Returns:
        The log; the losses that it shows; the accuracy by the number of rows read at once.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Reader(summary)
    generator = torch.Generator().manual_seed(seed + 1000)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    lines = [
        f"task   name the first of {K + 1} symbols, one of {FLAGS}; guessing is right for "
        f"{1 / FLAGS:.2f}, loss log {FLAGS} = 1.386",
        f"model  embedding 8, GRU of {UNITS} units both ways, linear; batches of {ROWS} rows",
        "",
        "  step     loss   gradient norm",
    ]
    losses = []
    for step in range(1, STEPS + 1):
        src, flags = flag_batch(ROWS, K, generator)
        loss = F.cross_entropy(model(src), flags)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step in SHOWN:
            losses.append(loss.item())
            lines.append(f"{step:6d}   {loss.item():6.3f}   {norm.item():13.3f}")
    src, flags = flag_batch(512, K, generator)
    lines += ["", "The same 512 new rows, the same weights, model.eval():"]
    accuracy = {}
    for size in SIZES:
        with torch.no_grad():
            found = torch.cat([model(rows).argmax(1) for rows in src.split(size)])
        accuracy[size] = (found == flags).float().mean().item()
        lines.append(f"  accuracy, {size:3d} rows at a time   {accuracy[size]:.2f}")
    return "\n".join(lines) + "\n", losses, accuracy


def training_log() -> str:
    """The log that the bug really produces."""
    return LOG


def clinic_options() -> dict[str, str]:
    """Five things that one may notice in the log."""
    return {
        "A": "the loss stays near log 4 for 150 steps",
        "B": "the accuracy depends on how many rows are read at a time",
        "C": "the gradient shrinks although the loss does not",
        "D": "0.76 is far above guessing, although the loss never fell",
        "E": "0.23 is below guessing",
    }
