"""Law 1's hints, by cause: what to look at when a sentence depends on its batch."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes

REPEATED = (
    "the same call twice: dropout is on (call .eval()), or something is kept from call to call"
)
DROPOUT = (
    "dropout that .eval() does not switch off, for every module shown is in evaluation mode: "
    "F.dropout(x, p) without training=self.training; or sampling, or a cache kept from call to call"
)
MATES = (
    "which axis is the batch: is batch_first missing somewhere, does a view or reshape join "
    "numbers of two sentences (h_n.view(B, -1)), does a softmax, a batch norm, a maximum or a "
    "quota (an expert's capacity) run over the batch?"
)
ORDER = (
    "what is sorted by length and must be sorted back, in states and memory alike; or a mask whose "
    "rows are those of another order: repeat(heads, 1, 1) in place of repeat_interleave(heads, 0), "
    "a mask kept from the batch before"
)
PADS = (
    "who reads the pads: an RNN that is not packed (its final state then lies after the pads, and "
    "a backward RNN starts in them), output[:, -1], attention or a mean without a mask"
)
SELF_ATTENTION = (
    "who reads the pads: self-attention over the source without a mask (src_key_padding_mask, "
    "True at pads, in nn.Transformer; attention_mask, 1 at real tokens, in Hugging Face), or a "
    "mean over positions without a mask; or positions counted from the last column, or in parts of "
    "the width"
)
CROSS_ATTENTION = (
    "who reads the pads of the source: attention from the decoder to the memory without a mask "
    "(memory_key_padding_mask in nn.Transformer, attention_mask or encoder_attention_mask in "
    "Hugging Face; scores.masked_fill(~src_mask, -inf) before the softmax, where "
    "pad_packed_sequence leaves zeros that a softmax still weighs)"
)
BOTH_ATTENTIONS = (
    "who reads the pads of the source: attention without a mask, in the encoder "
    "(src_key_padding_mask) or from the decoder to the memory (memory_key_padding_mask; "
    "attention_mask covers both in Hugging Face); give encode= too, and the verdict says which"
)
FUTURE = (
    "the causal mask: pads of the target stand after its real tokens, so only a decoder that looks "
    "ahead can see them. It is missing, shifted by one, or given in training mode alone; law 4 "
    "(parallel_stepwise) shows the position. A bidirectional decoder does the same"
)
LEFT = (
    "positions: with pads on the left they must be counted from each row's first real token "
    "(position_ids = attention_mask.cumsum(1) - 1), not from the first column; and every "
    "attention, also that of generate(), must be given the mask"
)
LABELS = (
    "the labels: a loss leaves out ignore_index alone, -100 unless you name another, so at pads "
    "labels there must be -100 and not PAD, and over the prompt of a decoder-only model, too; or "
    "the sum is divided by B * T"
)
UPSTREAM = "the {part} first: it is broken above, and {what} is computed from it"
PLANTED = (
    "the mask: only the ids at the pads were changed. If yours finds pads by their id "
    "(src != pad_id), which is sound, pass plant_at_pads=False"
)
ALONE = (
    "columns that exist only beside a longer sentence: " + CROSS_ATTENTION + ". Statistics over "
    "the batch or over time (batch norm, a mean) do the same"
)
ALONE_LOSS = (
    "what the loss is divided by: a mean of means weighs a token in a short sentence more; return "
    "(total, tokens)"
)
SEARCH = (
    "what the search is told of the pads: generate() needs attention_mask=, and with pads on the "
    "left a decoder-only model counts positions from the mask; a sentence that ends may not end "
    "the others; and a cap on the length that is made of src.size(1) counts pads"
)


WIDTH = (
    "or who reads the width, since other ids at the pads change nothing: positions counted from "
    "the last column, a mean or a scale by src.size(1), zeros at pads that a maximum or a "
    "convolution still reads"
)
RAISED = {  # where a callable raises on one form of a batch alone
    "alone": (
        "what is special about this batch: it has one sentence and no pads. squeeze() without an "
        "axis drops the axis of the batch, too"
    ),
    "more PAD columns": (
        "what is special about this batch: columns that are pads in every row. "
        "pad_packed_sequence leaves them out (total_length=src.size(1)), a mask made from "
        "src.size(1) does not; if no batch of yours has any, pass Conventions(trimmed=True)"
    ),
}
RAISED["each sentence alone"] = RAISED["alone"]


def kinds(*functions: Any) -> set[str]:
    """What the callables are made of, as far as they show it: ``rnn``, ``attention``."""
    found = set()
    for module in (part for f in functions for m in probes.modules_of(f) for part in m.modules()):
        if isinstance(module, nn.RNNBase | nn.RNNCellBase):
            found.add("rnn")
        elif "ttention" in type(module).__name__:
            found.add("attention")
    return found


def noisy(functions: Iterable[Any], usual: str = REPEATED) -> str:
    """The hint for a call that gives two results; ``usual`` if modules may be in training mode."""
    parts = [part for f in functions for m in probes.modules_of(f) for part in m.modules()]
    in_evaluation = bool(parts) and not any(part.training for part in parts)
    return DROPOUT if in_evaluation else usual


def pads(what: str, judge: Any, moved: Callable[[Batch], bool]) -> str:
    """Who reads the pads.

    Args:
        what: the subject: ``encoder``, ``logits``, ``summed loss`` or ``decoded output``.
        judge: of law 1: its callables, its conventions, its probe and what failed so far.
        moved: whether the subject says something else of this form of the probe.
    """
    batch, pad_id = judge.batch, judge.conventions.pad_id
    left, encoder_given = judge.conventions.pad_side == "left", judge.functions[0] is not None
    made_of = kinds(*(f for f in judge.functions if f is not None))

    def said(hint: str) -> str:
        by_id = moved(probes.fill_pads(batch, judge.other))
        return hint if by_id else f"{hint}; {WIDTH}"

    if what == "encoder":
        if left and "rnn" not in made_of:
            return LEFT
        return said(SELF_ATTENTION if made_of == {"attention"} else PADS)

    def upstream(part: str) -> bool:
        # not by other ids at the pads: who finds pads by their id is sound, and differs there
        return any(judge.trial.failed(part, change) for change in (": more PAD columns", ": alone"))

    by_source = moved(probes.widen(batch, 3, 0, pad_id))
    by_target = moved(probes.widen(batch, 0, 2, pad_id))
    hints = []
    if what == "summed loss" and by_target and not upstream("logits"):
        hints.append(LABELS)
    elif by_target:
        hints.append(FUTURE)
    if by_source or not by_target:
        if upstream("encoder"):
            hints.append(UPSTREAM.format(part="encoder", what=f"the {what}"))
        elif left:
            hints.append(LEFT)
        elif what == "decoded output" and not encoder_given and not upstream("logits"):
            hints.append(SEARCH)
        elif encoder_given:
            hints.append(said(CROSS_ATTENTION))
        elif made_of == {"attention"}:
            hints.append(said(BOTH_ATTENTIONS))
        else:
            hints.append(said(PADS))
    return "; and ".join(hints)
