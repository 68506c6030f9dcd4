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

Laws say what must not change. What must is asked beside them: ``reads_source`` (a decoder that
never looks at its source obeys 1 and 4), ``gradient_flow``, ``modes_agree``, ``label_shift``.

Adapters: ``of_model`` (a ``Seq2Seq``), ``of_forward`` (``nn.Transformer``), ``of_hugging_face``,
``of_training_step``, ``PrefixModel``, ``Prefix``; ``judge`` and ``judge_model`` run all laws on
one. In what honest code differs, ids, pads, order, axes, it says so by ``Conventions``.
"""

from seq2seq_lib.laws.adapters import (
    Adapter,
    greedy,
    judge,
    of_forward,
    of_hugging_face,
    of_training_step,
    summed_gradients,
)
from seq2seq_lib.laws.batch_invariance import batch_invariance
from seq2seq_lib.laws.conventions import Conventions, labels, whole_target
from seq2seq_lib.laws.gradient_flow import gradient_flow
from seq2seq_lib.laws.label_shift import label_shift
from seq2seq_lib.laws.loss_ledger import loss_ledger
from seq2seq_lib.laws.modes_agree import modes_agree
from seq2seq_lib.laws.oracle import every_output
from seq2seq_lib.laws.parallel_stepwise import parallel_stepwise
from seq2seq_lib.laws.parity import parity
from seq2seq_lib.laws.plain_beam import Hyp
from seq2seq_lib.laws.prefixes import Prefix, PrefixModel
from seq2seq_lib.laws.reads_source import reads_source
from seq2seq_lib.laws.scores_add_up import scores_add_up
from seq2seq_lib.laws.search_oracle import search_oracle
from seq2seq_lib.laws.shard_invariance import shard_invariance
from seq2seq_lib.laws.subject import beam_search, by_sentence, judge_model, of_model
from seq2seq_lib.laws.verdict import AdapterError, Check, LawBroken, Verdict
from seq2seq_lib.toy_models import BigramModel, HashModel, TableModel, four_letters

__all__ = [
    "Adapter",
    "AdapterError",
    "BigramModel",
    "Check",
    "Conventions",
    "HashModel",
    "Hyp",
    "LawBroken",
    "Prefix",
    "PrefixModel",
    "TableModel",
    "Verdict",
    "batch_invariance",
    "beam_search",
    "by_sentence",
    "every_output",
    "four_letters",
    "gradient_flow",
    "greedy",
    "judge",
    "judge_model",
    "label_shift",
    "labels",
    "loss_ledger",
    "modes_agree",
    "of_forward",
    "of_hugging_face",
    "of_model",
    "of_training_step",
    "parallel_stepwise",
    "parity",
    "reads_source",
    "scores_add_up",
    "search_oracle",
    "shard_invariance",
    "summed_gradients",
    "whole_target",
]
