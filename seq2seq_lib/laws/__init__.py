"""Seven laws that correct sequence-to-sequence code obeys.

Each is a function that takes any implementation through small callables, looks for a
counterexample on asymmetric probes, and returns a ``Verdict``. An implementation that raises does
not hold; the exception is the counterexample. Nothing global is changed.

| law | function | takes |
|---|---|---|
| 1 batch invariance | ``batch_invariance`` | encode, logits, loss, parameters, decode |
| 2 parity | ``parity`` | recompute(rnn, x, lengths) |
| 3 the loss ledger | ``loss_ledger`` | loss(logits, targets, mask), epoch(batches) |
| 4 parallel = stepwise | ``parallel_stepwise`` | logits, start, step, free_run |
| 5 search has an oracle | ``search_oracle`` | search(model, src, src_lengths, ...) |
| 6 scores add up | ``scores_add_up`` | search, models |
| 7 shard invariance | ``shard_invariance`` | gradients(shards) |

``of_model(model)`` gives the callables of a ``Seq2Seq``; ``judge_model(model)`` runs 1, 4, 6, 7.
Laws say what must not change; ``reads_source`` asks what must: a decoder that never looks at its
source obeys 1 and 4.
"""

from seq2seq_lib.laws.batch_invariance import batch_invariance
from seq2seq_lib.laws.hash_model import BigramModel, HashModel, TableModel, four_letters
from seq2seq_lib.laws.loss_ledger import loss_ledger
from seq2seq_lib.laws.oracle import every_output
from seq2seq_lib.laws.parallel_stepwise import parallel_stepwise
from seq2seq_lib.laws.parity import parity
from seq2seq_lib.laws.reads_source import reads_source
from seq2seq_lib.laws.scores_add_up import scores_add_up
from seq2seq_lib.laws.search_oracle import search_oracle
from seq2seq_lib.laws.shard_invariance import shard_invariance
from seq2seq_lib.laws.subject import Subject, beam_search, by_sentence, judge_model, of_model
from seq2seq_lib.laws.verdict import Check, LawBroken, Verdict

__all__ = [
    "BigramModel",
    "Check",
    "HashModel",
    "LawBroken",
    "Subject",
    "TableModel",
    "Verdict",
    "batch_invariance",
    "beam_search",
    "by_sentence",
    "every_output",
    "four_letters",
    "judge_model",
    "loss_ledger",
    "of_model",
    "parallel_stepwise",
    "parity",
    "reads_source",
    "scores_add_up",
    "search_oracle",
    "shard_invariance",
]
