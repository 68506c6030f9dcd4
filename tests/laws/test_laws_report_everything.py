"""No law stops in silence: each thing it was given is judged, or it says why it could not be."""

import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seq2seq_lib import laws
from seq2seq_lib.laws.plain_beam import Hyp, PlainBeam
from seq2seq_lib.laws.returned import are_probabilities
from seq2seq_lib.losses import sequence_loss

V_SRC, V, H = 11, 13, 6


def seeded(make):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return make()


EMBED, RNN = seeded(lambda: nn.Embedding(V_SRC, H)), seeded(lambda: nn.GRU(H, H, batch_first=True))
WORDS, OUT = seeded(lambda: nn.Embedding(V, H)), seeded(lambda: nn.Linear(H, V))


def unpacked(src, lengths):
    outputs, state = RNN(EMBED(src))
    return outputs, state.transpose(0, 1)


def mixes_sentences(batch):
    scores = OUT(WORDS(batch.tgt_in))
    return scores - scores.mean(0)


def right(batch):
    """A bag of source words and the last target word."""
    mask = batch.src_mask[..., None]
    context = (EMBED(batch.src) * mask).sum(1) / batch.src_lengths[:, None]
    return OUT(torch.tanh(WORDS(batch.tgt_in) + context[:, None]))


def nll(batch):
    return F.cross_entropy(right(batch).transpose(1, 2), laws.labels(batch), reduction="sum")


def broken(verdict):
    return [check.name for check in verdict.checks if check.broken]


# ---------------------------------------------------------------- every subject


def test_a_broken_encoder_hides_neither_the_logits_nor_the_decoder():
    def raises(src, lengths):
        raise RuntimeError("no beam today")

    verdict = laws.batch_invariance(unpacked, logits=mixes_sentences, decode=raises)
    names = broken(verdict)
    assert verdict.status == "BROKEN"
    assert "encoder final state: more PAD columns" in names
    assert "logits: other sentences beside it" in names
    assert "no beam today" in verdict.not_judged[0].counterexample
    assert "no beam today" in str(verdict)


def test_a_mask_by_id_in_the_encoder_hides_nothing_else():
    def by_id(src, lengths):
        return None, (EMBED(src) * (src != 0)[..., None]).sum(1)

    names = broken(laws.batch_invariance(by_id, logits=mixes_sentences, plant_at_pads=True))
    assert "encoder final state: other ids at the pads" in names
    assert "logits: other sentences beside it" in names


def test_what_raises_in_one_batch_alone_is_a_counterexample():
    def needs_two(src, lengths):
        if len(src) == 1:
            raise IndexError("squeezed away")
        return None, EMBED(src[:, 0])

    verdict = laws.batch_invariance(needs_two)
    assert broken(verdict) == ["encoder final state: alone"] or broken(verdict) == [
        "encoder: alone"
    ]
    assert "IndexError" in verdict.counterexample and "squeezed away" in verdict.counterexample
    assert "squeeze() without an axis" in verdict.look_at


def test_so_is_what_a_loss_or_an_adapter_does_in_one_batch_alone():
    def needs_two(batch):
        if len(batch) == 1:
            raise IndexError("squeezed away")
        return nll(batch), batch.tgt_mask.sum()

    verdict = laws.batch_invariance(loss=needs_two)
    assert "IndexError in needs_two(): squeezed away" in verdict.counterexample
    assert all(name.startswith("summed loss: ") for name in broken(verdict))

    def loses_an_axis(src, lengths):
        return EMBED(src).squeeze(0), None

    verdict = laws.batch_invariance(loses_an_axis)
    assert not verdict and "encode returned memory [6, 6] for src [1, 6]" in str(verdict)


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(H, 1, batch_first=True)

    def forward(self, batch):  # no key_padding_mask
        memory = EMBED(batch.src)
        return OUT(self.attention(WORDS(batch.tgt_in), memory, memory)[0])


WHO_READS_PADS = {  # callables -> what is said of the cause
    "an encoder with its pads on the left": (
        {
            "encode": lambda src, lengths: (None, EMBED(src).sum(1)),
            "conventions": laws.Conventions(pad_side="left"),
        },
        "counted from each row's first real token",
    ),
    "a search that counts columns": (
        {"decode": lambda src, lengths: [[3 + src.size(1) % 5, 2] for _ in src]},
        "what the search is told of the pads",
    ),
    "an encoder that counts columns": (
        {"encode": lambda s, n: (None, EMBED(s[:, 0]) / s.size(1))},
        "a scale by src.size(1)",
    ),
    "attention without a mask": ({"logits": seeded(Attends)}, "give encode= too"),
    "a loss beside its logits": (
        {
            "logits": right,
            "loss": lambda b: (nll(b) + 0.1 * (~b.tgt_mask).sum(), b.tgt_mask.sum()),
        },
        "the labels: a loss leaves out ignore_index alone",
    ),
}


@pytest.mark.parametrize("name", WHO_READS_PADS)
def test_who_reads_the_pads_is_named(name):
    callables, cause = WHO_READS_PADS[name]
    verdict = laws.batch_invariance(**callables)
    assert verdict.status == "BROKEN" and cause in verdict.look_at, verdict


def test_outputs_are_compared_up_to_their_end():
    """As ``generate`` gives them: one tensor, BOS in front, PAD after EOS."""

    def generate(src, lengths):
        rows = [[1, *[3 + int(n) % 4] * (int(n) % 3), 2] for n in lengths]
        width = max(map(len, rows))
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])

    assert laws.batch_invariance(decode=generate)
    assert not laws.batch_invariance(decode=lambda s, n: generate(s, n.clamp(min=int(n.max()) - 1)))


# ---------------------------------------------------------------- loss and logits belong together


WRONG_LOSSES = {
    "none of the mistakes known here": lambda b: (1.7 * nll(b), b.tgt_mask.sum()),
    "shifted twice": lambda b: (
        F.cross_entropy(right(b)[:, :-1].transpose(1, 2), laws.labels(b)[:, 1:], reduction="sum"),
        b.tgt_mask.sum(),
    ),
    "learns to copy": lambda b: (
        F.cross_entropy(
            right(b).transpose(1, 2), b.tgt_in.masked_fill(~b.tgt_mask, -100), reduction="sum"
        ),
        b.tgt_mask.sum(),
    ),
    "Conventions(label_smoothing=0.1)": lambda b: (
        F.cross_entropy(
            right(b).transpose(1, 2), laws.labels(b), reduction="sum", label_smoothing=0.1
        ),
        b.tgt_mask.sum(),
    ),
}


@pytest.mark.parametrize("words", WRONG_LOSSES)
def test_a_loss_that_is_not_of_the_logits_is_named(words):
    loss = WRONG_LOSSES[words]
    assert laws.batch_invariance(loss=loss)  # alone there is nothing to compare it with
    verdict = laws.batch_invariance(logits=right, loss=loss)
    assert broken(verdict) == ["the loss is that of the logits"]
    assert words in verdict.look_at


def test_a_mean_of_another_kind_is_named():
    def by_sentence(batch):
        each = F.cross_entropy(right(batch).transpose(1, 2), batch.tgt_out, reduction="none")
        return ((each * batch.tgt_mask).sum(1) / batch.tgt_lengths).mean()

    def without_the_end(batch):
        labels = laws.labels(batch).masked_fill(batch.tgt_out == 2, -100)
        return F.cross_entropy(right(batch).transpose(1, 2), labels)

    for loss, words in (
        (by_sentence, "the mean of the sentences' own means"),
        (without_the_end, "EOS must be scored"),
    ):
        assert words in laws.batch_invariance(logits=right, loss=loss).look_at


def test_a_smoothed_loss_is_right_where_it_is_meant():
    smoothed = WRONG_LOSSES["Conventions(label_smoothing=0.1)"]
    conventions = laws.Conventions(label_smoothing=0.1)
    verdict = laws.batch_invariance(logits=right, loss=smoothed, conventions=conventions)
    assert verdict and "label smoothing 0.1" in str(verdict)


def test_a_sum_without_a_count_is_the_adapter_s_mistake():
    verdict = laws.batch_invariance(loss=nll)
    assert verdict.status == "NOT JUDGED" and not verdict
    assert "is a sum" in verdict.counterexample and "(total, number of tokens)" in verdict.look_at


# ---------------------------------------------------------------- the adapter's mistakes


def nested(value, depth):
    return (nested(value, depth - 1),) if depth else value


MISTAKES = {  # callables -> what came, what was expected
    "a state in an object": (
        {"encode": lambda s, n: (EMBED(s), object())}, "a object", "nest of such tensors"
    ),
    "texts": ({"decode": lambda s, n: ["a b"] * len(s)}, "the text 'a b'", "a list of ids"),
    "time first": (
        {"logits": lambda b: right(b).transpose(0, 1)}, "[6, 5, 13]", "time_first=True"
    ),
    "one position less": (
        {"logits": lambda b: right(b)[:, 1:]}, "[5, 5, 13]", "whole_target"
    ),
    "no tensor at all": ({"logits": lambda b: "nothing"}, "the text 'nothing'", "'logits'"),
    "words, not scores": (
        {"logits": lambda b: right(b).argmax(-1)}, "not [5, 6]", "logits [B, T, V] = [5, 6, V]\n"
    ),
    "a nest too deep": (
        {"encode": lambda s, n: (EMBED(s), nested(EMBED(s)[:, 0], 6))},
        "a state with a tuple of (", "a nest of such tensors",
    ),
    "words with an axis": (
        {"logits": lambda b: right(b).argmax(-1, keepdim=True)}, "[5, 6, 1]", "before any argmax"
    ),
    "rows laid flat": (
        {"logits": lambda b: right(b).flatten(0, 1)}, "not [30, 13]", ".view(B, T, -1)"
    ),
    "the vocabulary in the middle": (
        {"logits": lambda b: right(b).transpose(1, 2)}, "[5, 13, 6], where the largest target is",
        "the vocabulary last",
    ),
    "another name": (
        {"logits": lambda b: {"scores": right(b)}}, "a dict with the keys scores", "'logits'"
    ),
    "no logits in a tuple": (
        {"logits": lambda b: (1.5, [right(b), [None]], *"abc")},
        "a tuple of (the number 1.5, a list of (a tensor [5, 6, 13], a list), the text 'a'",
        "a tuple that holds one",
    ),
    "a memory that is none": (
        {"encode": lambda s, n: ([1, 2], None)}, "a list of (the number 1, the number 2)",
        "a tensor [B, S, ...], batch first, or None",
    ),
    "neither memory nor state": (
        {"encode": lambda s, n: (None, None)}, "no tensor", "but not None twice"
    ),
    "a memory with time first": (
        {"encode": lambda s, n: EMBED(s).transpose(0, 1)}, "memory [7, 5, 6]",
        "[B, S, ...], batch first; time stands first: pass Conventions(time_first=True)",
    ),
    "a memory without sentences": (
        {"encode": lambda s, n: EMBED(s).sum(0)[0]}, "memory [6]", "[B, S, ...], batch first"
    ),
    "a call without arguments": (
        {"encode": lambda: None}, "takes 0 positional arguments", "takes what this law"
    ),
    "two losses": (
        {"loss": lambda b: (nll(b), 0.5 * nll(b))}, "a tuple of (a number, a number)",
        "(total, number of tokens)",
    ),
    "another device": (
        {"logits": lambda b: right(b).to("meta") + right(b)}, "meta", "on one device"
    ),
    "no graph": (
        {"loss": lambda b: (nll(b).detach(), b.tgt_mask.sum()), "parameters": [OUT.weight]},
        "without a graph", "no torch.no_grad()",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_the_adapter_is_no_broken_law(name):
    callables, came, expected = MISTAKES[name]
    verdict = laws.batch_invariance(**callables)
    assert verdict.status == "NOT JUDGED" and not verdict.holds, verdict
    assert came in str(verdict) and expected in str(verdict), verdict
    assert "NOT JUDGED" in str(verdict).splitlines()[0]
    with pytest.raises(laws.LawBroken, match="NOT JUDGED"):
        verdict.raise_if_broken()


def stepwise(step):
    """Law 4 on a model whose logits are those of the last word."""
    return laws.parallel_stepwise(lambda b: OUT(WORDS(b.tgt_in)), lambda s, n: (), step)


def found(outputs):
    """What a search says of each sentence, for laws 5 and 6."""
    return lambda model, src, src_lengths, *settings: [outputs for _ in src]


IN_OTHER_LAWS = {  # judged -> what came, what was expected
    "scores without a state": (
        lambda: stepwise(lambda tokens, state: OUT(WORDS(tokens))),
        "step returned a tensor [5, 13]", "(scores [B, V], next state)",
    ),
    "scores with a time axis": (
        lambda: stepwise(lambda tokens, state: (OUT(WORDS(tokens))[:, None], state)),
        "scores that are a tensor [5, 1, 13]", "[B, V] = [5, V]",
    ),
    "probabilities of a step": (
        lambda: stepwise(lambda tokens, state: (OUT(WORDS(tokens)).softmax(-1), state)),
        "step returned probabilities", "softmax was already taken",
    ),
    "one position more": (
        lambda: laws.parallel_stepwise(lambda b: OUT(WORDS(laws.whole_target(b)))),
        "not [5, 7, 13]", "one row of scores for each position of tgt_in",
    ),
    "a free run in texts": (
        lambda: laws.parallel_stepwise(right, free_run=lambda b: ["a b"]),
        "free_run returned a list of (the text 'a b')", "a tensor [B, ...]",
    ),
    "one position more, read": (
        lambda: laws.reads_source(lambda b: OUT(WORDS(laws.whole_target(b)))),
        "[B, T, V] = [5, 6, V], not [5, 7, 13]", "logits [5, 6, V]",
    ),
    "a loss without a graph": (
        lambda: laws.gradient_flow(lambda b: nll(b).detach(), [OUT.weight]),
        "the loss came without a graph", "not .item() or .detach()",
    ),
    "too few outputs": (
        lambda: laws.search_oracle(lambda model, src, *settings: [[[2]]] * (len(src) - 1)),
        "search returned 2 lists for 3 sentences", "a list for each sentence",
    ),
    "outputs without lists": (
        lambda: laws.search_oracle(found(7)), "a list of (the number 7", "a list for each sentence"
    ),
    "tokens without numbers": (
        lambda: laws.scores_add_up(found([[5, 2]])),
        "a list of (the number 5, the number 2)) for a sentence", "'log_prob'",
    ),
    "gradients that are gone": (
        lambda: laws.shard_invariance(lambda shards: (torch.ones(()), [torch.zeros(3)])),
        "every gradient of one batch is 0", "before they are cleared",
    ),
    "ids that an embedding does not have": (
        lambda: laws.reads_source(right, src_vocab_size=20), "index out of range",
        "pass src_vocab_size=",
    ),
    "a recomputation of other shapes": (
        lambda: laws.parity(lambda rnn, x, lengths: (x[:1], None)),
        "came: recompute returned shapes [[1, 6, 4]]", "transpose them",
    ),
    "a gradient that is None": (
        lambda: laws.shard_invariance(lambda shards: (torch.ones(()), [None])),
        "the gradients came as a list of (nothing (None))", "give zeros",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_OTHER_LAWS)
def test_a_mistake_of_the_adapter_breaks_no_other_law(name):
    judge, came, expected = IN_OTHER_LAWS[name]
    verdict = judge()
    assert verdict.status == "NOT JUDGED", verdict
    assert came in str(verdict) and expected in str(verdict), verdict


@dataclass
class State:
    hidden: torch.Tensor
    steps: int


GOOD_SHAPES = {
    "memory alone": {"encode": lambda s, n: EMBED(s)},
    "a dict": {"encode": lambda s, n: {"memory": EMBED(s), "state": {"h": EMBED(s)[:, 0]}}},
    "a dict as a state": {"encode": lambda s, n: (EMBED(s), {"h": EMBED(s)[:, 0], "n": 1})},
    "a dataclass as a state": {"encode": lambda s, n: (EMBED(s), State(EMBED(s)[:, 0], 1))},
    "a deep nest": {"encode": lambda s, n: (EMBED(s), nested(EMBED(s)[:, 0], 5))},
    "memories in a list": {"encode": lambda s, n: ([EMBED(s), {"keys": EMBED(s)}], None)},
    "a state alone, by its name": {"encode": lambda s, n: {"state": EMBED(s)[:, 0]}},
    "outputs in an array": {"decode": lambda s, n: (3 + n[:, None] % 5).numpy()},
    "log-probabilities by their name": {
        "logits": lambda b: {"log_probs": right(b).log_softmax(-1)}
    },
    "memory with pads on the left": {
        "encode": lambda s, n: EMBED(s),
        "conventions": laws.Conventions(pad_side="left"),
    },
    "outputs with time first": {
        "decode": lambda s, n: torch.stack([3 + n % 5, torch.full_like(n, 2)]),  # [2, B]
        "conventions": laws.Conventions(time_first=True),
    },
    "hypotheses": {"decode": lambda s, n: [[Hyp([3 + int(k) % 5, 2], -1.0)] for k in n]},
    "logits and attention": {"logits": lambda b: (right(b), b.src_mask)},
    "logits in a dict": {"logits": lambda b: {"logits": right(b)}},
    "logits in an object": {"logits": lambda b: SimpleNamespace(logits=right(b))},
    "logits with time first in a tuple": {
        "logits": lambda b: (None, OUT(WORDS(b.tgt_in))),
        "conventions": laws.Conventions(time_first=True),
    },
    "a loss with its logits": {"loss": lambda b: (nll(b) / b.tgt_mask.sum(), right(b))},
    "a loss, its count, and what is logged": {
        "loss": lambda b: (nll(b), b.tgt_mask.sum(), {"nll": 1.0})
    },
    "a loss in a dict": {"loss": lambda b: {"loss": nll(b) / b.tgt_mask.sum()}},
}


@pytest.mark.parametrize("name", GOOD_SHAPES)
def test_what_can_be_understood_is_judged(name):
    assert laws.batch_invariance(**GOOD_SHAPES[name])


def test_parameters_may_come_with_their_names():
    named = [("words", WORDS.weight), ("out", OUT.weight)]
    total = lambda b: (nll(b), b.tgt_mask.sum())  # noqa: E731
    assert laws.batch_invariance(logits=right, parameters=named)
    assert laws.reads_source(right, parameters=named)
    assert laws.gradient_flow(total, dict(named))
    assert laws.shard_invariance(laws.summed_gradients(total, dict(named)))


def test_what_is_missing_is_asked_for():
    with pytest.raises(ValueError, match="no start="):
        laws.parallel_stepwise(right, step=lambda tokens, state: (right, state))
    with pytest.raises(TypeError, match="takes an Adapter"):
        laws.judge(OUT)


def test_every_memory_of_a_list_is_judged():
    verdict = laws.batch_invariance(lambda s, n: ([EMBED(s), EMBED(s) / s.size(1)], None))
    assert broken(verdict) == ["encoder memory 1: more PAD columns", "encoder memory 1: alone"]


def test_scores_of_a_step_may_have_a_name():
    named = lambda tokens, state: ({"logits": OUT(WORDS(tokens))}, state)  # noqa: E731
    assert stepwise(named)


def test_probabilities_are_not_taken_for_logits():
    verdict = laws.parallel_stepwise(lambda batch: right(batch).softmax(-1))
    assert verdict.status == "NOT JUDGED" and "softmax was already taken" in str(verdict)
    assert laws.parallel_stepwise(lambda batch: right(batch).log_softmax(-1))


def test_one_row_that_sums_to_one_is_no_softmax():
    rows = torch.tensor([[0.25, 0.25, 0.5], [0.25, 0.25, 0.75]])
    assert are_probabilities(rows[:1]) and not are_probabilities(rows)
    assert not are_probabilities(torch.tensor([[1.5, -0.5, 0.0]]))
    assert are_probabilities(torch.tensor([[0.0, 1.0, 0.0]]))


# ---------------------------------------------------------------- bad input, for every law


def callables(function):
    """The same implementation for every law that takes tensors."""
    return {
        "1": lambda: laws.batch_invariance(function),
        "1 logits": lambda: laws.batch_invariance(logits=function),
        "1 loss": lambda: laws.batch_invariance(loss=function),
        "1 decode": lambda: laws.batch_invariance(decode=function),
        "2": lambda: laws.parity(function),
        "3": lambda: laws.loss_ledger(function),
        "4": lambda: laws.parallel_stepwise(function),
        "5": lambda: laws.search_oracle(function),
        "6": lambda: laws.scores_add_up(function),
        "7": lambda: laws.shard_invariance(function),
        "reads": lambda: laws.reads_source(function),
        "flow": lambda: laws.gradient_flow(function, [OUT.weight]),
        "modes": lambda: laws.modes_agree(function, OUT),
        "collator": lambda: laws.label_shift(function),
    }


@pytest.mark.parametrize("law", callables(None))
@pytest.mark.parametrize("bad", ["raises", "exits", "returns None", "returns text"])
def test_bad_input_is_told_in_words(law, bad):
    def raises(*args):
        raise LookupError("no such word")

    answers = {
        "raises": raises,
        "exits": lambda *args: sys.exit("bye"),
        "returns None": lambda *args: None,
        "returns text": lambda *args: "a text",
    }
    verdict = callables(answers[bad])[law]()
    assert verdict.status == "NOT JUDGED" and not verdict
    words = {"raises": "no such word", "exits": "exit('bye')"}.get(bad, "")
    assert words in verdict.counterexample and verdict.look_at
    if bad.startswith("returns") and law != "2":
        assert "None" in str(verdict) or "a text" in str(verdict), verdict


def to_nan(tensor):
    return tensor * float("nan")


@pytest.mark.parametrize(
    "judge",
    [
        lambda: laws.batch_invariance(lambda s, n: to_nan(EMBED(s))),
        lambda: laws.batch_invariance(logits=lambda b: to_nan(right(b))),
        lambda: laws.batch_invariance(loss=lambda b: (to_nan(nll(b)), b.tgt_mask.sum())),
        lambda: laws.parallel_stepwise(lambda b: to_nan(right(b))),
        lambda: laws.reads_source(lambda b: to_nan(right(b))),
        lambda: laws.gradient_flow(lambda b: to_nan(nll(b)), [OUT.weight]),
        lambda: laws.shard_invariance(lambda shards: (to_nan(nll(shards[0])), [OUT.weight])),
    ],
)
def test_nan_is_called_nan(judge):
    verdict = judge()
    assert verdict.status == "BROKEN" and "is nan" in verdict.counterexample
    assert "where the NaN is born" in verdict.look_at


def test_a_write_into_an_argument_is_found_and_does_no_harm():
    def sorts_in_place(batch):
        batch.src.copy_(batch.src.flip(0))
        batch.src_lengths.copy_(batch.src_lengths.flip(0))
        return OUT(WORDS(batch.tgt_in))

    def clears(model, src, lengths, *settings):
        found = PlainBeam()(model, src, lengths, *settings)
        lengths.zero_()
        return found

    for verdict in (
        laws.batch_invariance(logits=sorts_in_place),
        laws.parallel_stepwise(sorts_in_place),
        laws.scores_add_up(clears),
    ):
        assert broken(verdict) == ["arguments stay as they were"], verdict
        assert "lengths" in verdict.counterexample


def test_noise_is_called_noise():
    def noisy_loss(logits, targets, mask):
        return logits[mask].sum() * torch.rand(()), mask.sum()

    def samples(model, src, lengths, num_beams, longest, *settings):
        return [[torch.randint(3, 6, (longest,))] for _ in src]

    def noisy_step(shards):
        return torch.rand(()), [torch.rand(3)]

    for verdict, words in (
        (laws.batch_invariance(lambda s, n: torch.rand(*s.shape, 3)), "dropout is on"),
        (laws.loss_ledger(noisy_loss), "dropout, sampling"),
        (laws.parallel_stepwise(lambda b: torch.rand(*b.tgt_in.shape, 13)), "dropout"),
        (laws.search_oracle(samples), "do_sample"),
        (laws.shard_invariance(noisy_step), "dropout that is on"),
    ):
        assert len(broken(verdict)) <= 2 and words in verdict.look_at, verdict


def test_noise_of_gradients_alone_is_called_noise_too_and_nothing_else_is_compared():
    def loss(batch):
        total = nll(batch)
        noise = torch.rand(()) * total
        return total + noise - noise.detach(), batch.tgt_mask.sum()

    verdict = laws.batch_invariance(loss=loss, parameters=[OUT.weight])
    assert broken(verdict) == ["gradient: the same batch again"]


def test_a_step_of_pads_alone_is_no_number():
    """The mean over steps of each step's own mean, as the chatbot prints it."""

    def loss(logits, targets, mask):
        nll = -logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0]
        return torch.stack([nll[:, t][mask[:, t]].mean() for t in range(mask.size(1))]).mean()

    hints = [c.look_at for c in laws.loss_ledger(loss).checks if c.broken]
    assert any("the mean of nothing is nan" in text for text in hints)


def test_an_infinity_at_a_pad_is_no_missing_step():
    def focal(logits, targets, mask):
        prob = logits.softmax(-1).gather(-1, targets[..., None])[..., 0]
        return -((1 - prob) ** 2 * prob.log() * mask).sum() / mask.sum()

    hints = [c.look_at for c in laws.loss_ledger(focal).checks if c.name.startswith("huge logits")]
    assert any("an infinity times a mask of 0" in text for text in hints)


def test_what_autocast_rounds_is_judged_by_its_digits():
    """Logits, loss and parameters are float32; what lies between is not."""
    words = [EMBED.weight, OUT.weight]

    def loss(batch):
        with torch.autocast("cpu", torch.bfloat16):
            logits = right(batch).float()
        labels = laws.labels(batch)
        return F.cross_entropy(
            logits.transpose(1, 2), labels, reduction="sum"
        ), batch.tgt_mask.sum()

    verdict = laws.batch_invariance(logits=right, loss=loss, parameters=words)
    assert verdict and "2e-2 is allowed" in str(verdict)
    verdict = laws.batch_invariance(loss=lambda b: (loss(b)[0] * len(b), b.tgt_mask.sum()))
    assert verdict.status == "BROKEN"  # what is wrong is more than rounding


def test_what_only_float32_rounds_is_judged_in_float64():
    def rounds(src, lengths):
        found = EMBED(src)
        return found * (1 + 50 * torch.finfo(found.dtype).eps * src.size(1))

    def errs(src, lengths):
        return EMBED(src) * (1 + 1e-5 * src.size(1))

    verdict = laws.batch_invariance(rounds)
    assert verdict and "judged in float64" in str(verdict)
    assert EMBED.weight.dtype == torch.float32
    assert laws.batch_invariance(errs).status == "BROKEN"
    assert laws.batch_invariance(rounds, tolerance=1e-5).status == "BROKEN"  # as was asked for

    def sees_the_future(batch):
        return right(batch) * (1 + 1e-5 * batch.tgt_in[:, -1:, None])

    def steps_round(tokens, state):
        scores = OUT(WORDS(tokens))
        return scores * (1 + 2000 * torch.finfo(scores.dtype).eps), state

    assert "judged in float64" in str(stepwise(steps_round))
    assert laws.parallel_stepwise(sees_the_future).status == "BROKEN"


def test_half_precision_and_double_are_judged_by_their_digits():
    for dtype in (torch.bfloat16, torch.float64):
        table = nn.Embedding(V_SRC, H, dtype=dtype)
        assert laws.batch_invariance(lambda s, n, table=table: table(s))

    def off(src, lengths, dtype):
        return EMBED(src).to(dtype) + 1e-4 * len(src)

    assert not laws.batch_invariance(lambda s, n: off(s, n, torch.float64))
    assert laws.batch_invariance(lambda s, n: off(s, n, torch.bfloat16))


# ---------------------------------------------------------------- the most telling check first


def test_a_batch_that_differs_is_told_before_its_order():
    """IBM's TopKDecoder: repeat for repeat_interleave. https://github.com/IBM/pytorch-seq2seq"""

    def mixed(model, src, lengths, *settings):
        found = PlainBeam()(model, src, lengths, *settings)
        if len(src) == 1 or settings[0] == 1:
            return found
        return [hyps[::-1] for hyps in found[1:] + found[:1]]

    verdict = laws.search_oracle(mixed, length_penalties=(0.0,), max_new_tokens=3)
    assert "sorted, best first" in broken(verdict)
    assert "repeat instead of repeat_interleave" in verdict.look_at


def test_attention_over_the_zeros_of_a_packed_run_is_named():
    """The chatbot's: nothing but 'alone' shows it, for what is trimmed cannot be widened."""

    def logits(batch):
        packed = nn.utils.rnn.pack_padded_sequence(
            EMBED(batch.src), batch.src_lengths, batch_first=True, enforce_sorted=False
        )
        memory, _ = nn.utils.rnn.pad_packed_sequence(RNN(packed)[0], batch_first=True)
        query = WORDS(batch.tgt_in)
        weights = (query @ memory.transpose(1, 2)).softmax(-1)
        return OUT(weights @ memory)

    verdict = laws.batch_invariance(logits=logits)
    assert set(broken(verdict)) == {"logits: alone", "summed loss: each sentence alone"}
    assert "masked_fill(~src_mask, -inf) before the softmax" in verdict.look_at


def score_only(length):
    def search(*args):
        found = laws.beam_search(*args)
        return [[Hyp(h.tokens, score=h.log_prob / length(len(h.tokens))) for h in hyps]
                for hyps in found]  # fmt: skip

    return search


def test_a_score_alone_is_judged_as_what_it_is():
    average = {"length_penalties": (1.0,)}
    assert laws.scores_add_up(score_only(lambda n: n), **average)
    verdict = laws.scores_add_up(score_only(lambda n: n + 1), **average)
    assert "the length counts BOS too" in verdict.look_at
    nothing = laws.scores_add_up(lambda *args: [[Hyp([2])] for _ in args[1]])
    assert nothing.status == "NOT JUDGED" and "laws.Hyp" in nothing.look_at


def test_an_error_on_the_same_thing_in_another_form_breaks_a_law():
    """The loss was called and compared before: it is the wider batch that it cannot read."""

    def loss(may_widen_to):
        widths = []

        def mean(logits, targets, mask):
            widths.append(targets.size(1))
            if targets.size(1) > may_widen_to * widths[0]:
                raise ValueError("too wide")
            return sequence_loss(logits, targets, mask).mean

        return mean

    later, at_once = (laws.loss_ledger(loss(times)) for times in (1, 0))
    assert later.status == "BROKEN" and later.not_judged == ()
    assert "too wide" in later.counterexample
    assert at_once.status == "NOT JUDGED" and "too wide" in at_once.not_judged[0].counterexample
