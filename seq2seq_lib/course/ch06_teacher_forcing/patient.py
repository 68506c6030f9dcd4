"""The patient of chapter 6's bug clinic: a decoder that reads the token it must say.

Rewritten from scratch, small. https://github.com/Project-MONAI/GenerativeModels/issues/314 reports
transformers that were trained to predict token N from the tokens 0 to N.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seq2seq_lib.batching import Batch, collate, encode_pairs
from seq2seq_lib.corpora import numbers
from seq2seq_lib.course.explorers.slip_and_recover.models import Trained, train
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.losses import sequence_loss
from seq2seq_lib.vocab import EOS_ID, PAD_ID

SHOWN = (1, 25, 50, 100, 150)

# What `reproduce_log()` returned on 28 November 2026, stored so that nobody waits for a training
# run. Another processor may change the last digits.
LOG = """\
task   number words to digits, 4,800 pairs; batches of 64, 150 steps; no dropout

  step     loss, train     tokens right, train
     1           2.622                   0.200
    25           0.270                   1.000
    50           0.030                   1.000
   100           0.008                   1.000
   150           0.005                   1.000

300 unseen numbers, greedy search: 0 right
different first digits among the 300 outputs: 1
     gold 8444   the model writes 333333333
     gold 2588   the model writes 333333333
     gold 7836   the model writes 333333333
"""


def patient_pair(targets: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Should make what a decoder reads and what it must say, int64 ``[B, T]`` each.

    Args:
        targets: ids of words, without BOS and EOS; some may be empty.
    """
    rows = [torch.tensor([*target, EOS_ID]) for target in targets]
    tgt_out = pad_sequence(rows, batch_first=True, padding_value=PAD_ID)  # [B, T]
    tgt_in = tgt_out.clone()
    return tgt_in, tgt_out


def training(seed: int = 0) -> tuple[Trained, list[tuple[float, float]], Batch]:
    """Train with the patient; the loss and the token accuracy of each step, and a test batch."""
    corpus = numbers(num_train=4800, num_valid=0, num_test=300)
    steps = []

    def loss_function(model: Any, batch: Batch, step: int) -> Any:
        logits = model(replace(batch, tgt_in=batch.tgt_out))
        loss = sequence_loss(logits, batch.tgt_out, batch.tgt_mask)
        right = (logits.argmax(-1) == batch.tgt_out)[batch.tgt_mask].float().mean()
        steps.append((loss.mean.item(), right.item()))
        return loss

    made = train(
        corpus, "none", epochs=2, seed=seed, loss_function=loss_function, cosine_decay=False
    )
    return made, steps, collate(encode_pairs(corpus.test, made.src_vocab, made.tgt_vocab))


def reproduce_log(seed: int = 0) -> str:
    """Train with the patient, let the model write on its own, and say what happened."""
    made, steps, test = training(seed)
    lines = ["task   number words to digits, 4,800 pairs; batches of 64, 150 steps; no dropout", ""]
    lines.append("  step     loss, train     tokens right, train")
    for step in SHOWN:
        loss, right = steps[step - 1]
        lines.append(f"{step:6d}   {loss:13.3f}   {right:21.3f}")
    found = greedy_search(made.model, test.src, test.src_lengths, max_new_tokens=9)
    said = [made.tgt_vocab.decode(best.tokens) for (best,) in found]
    gold = [made.tgt_vocab.decode(row[row > 0]) for row in test.tgt_out]
    right = sum(one == two for one, two in zip(said, gold, strict=True))
    first = len({tuple(one[:1]) for one in said})
    lines += ["", f"300 unseen numbers, greedy search: {right} right"]
    lines.append(f"different first digits among the 300 outputs: {first}")
    for one, two in list(zip(gold, said, strict=True))[:3]:
        lines.append(f"     gold {''.join(one):6} the model writes {''.join(two)}")
    return "\n".join(lines) + "\n"


def training_log() -> str:
    """The log that the bug really produces."""
    return LOG
