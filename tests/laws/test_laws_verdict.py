"""What a verdict says, and that judging leaves no trace."""

import inspect
import math
import random
import re
import subprocess
import sys
from functools import partial
from xml.etree import ElementTree

import numpy
import pytest
import torch
from torch import nn

from seq2seq_lib import laws
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import difference
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


def trial(*pairs, tolerance=1e-5):
    result = Trial("A law")
    for i, (actual, expected) in enumerate(pairs):
        result.equal(
            f"check {i}", torch.tensor(actual), torch.tensor(expected), tolerance,
            fed="a probe", look_at="a cause",
        )  # fmt: skip
    return result


def test_a_verdict_that_holds():
    verdict = trial(([1.0], [1.0 + 1e-6]), ([2.0], [2.0])).verdict()
    assert verdict.holds and bool(verdict)
    assert verdict.raise_if_broken() is verdict
    assert 5e-7 < verdict.max_diff < 2e-6 and verdict.tolerance == 1e-5
    assert str(verdict) == repr(verdict) == "A law: HOLDS (2 checks, all within their tolerance)"
    assert verdict.counterexample == verdict.look_at == ""
    assert [check.name for check in verdict.checks] == ["check 0", "check 1"]


def test_a_verdict_that_does_not():
    verdict = trial(([1.0], [1.0]), ([1.0, 2.0, 7.5], [1.0, 3.0, 7.0]), ([4.0], [5.0])).verdict()
    assert not verdict.holds and not verdict
    assert str(verdict) == (
        "A law: BROKEN (2 of 3 checks)\n"
        "  first broken: check 1 (off by 0.143, allowed 1e-05)\n"
        "  example: a probe: at [1] it is 2 (yours) but 3 (expected)\n"
        "  look at: a cause\n"
        "  also broken: check 2"
    )
    with pytest.raises(laws.LawBroken, match="check 1"):
        verdict.raise_if_broken()
    assert issubclass(laws.LawBroken, AssertionError)


def test_a_notebook_shows_the_same_words_as_a_card():
    broken = trial(([1.0], [1.0]), ([1.0, 2.0], [1.0, 3.0])).verdict()
    for verdict in (broken, trial(([1.0], [1.0])).verdict()):
        card = verdict._repr_html_()
        root = ElementTree.fromstring(card)
        words = " ".join("".join(root.itertext()).split())
        for line in str(verdict).splitlines():
            assert " ".join(line.split()) in words
        assert ("✓" if verdict.holds else "✗") in words
        assert "background" not in card and not re.search(r"[; \"]color:", card)


def test_what_an_implementation_says_is_escaped_in_the_card():
    def hostile(*args):
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in laws.loss_ledger(hostile)._repr_html_()


def judged(*values, tolerance=0.1):
    """The check that these values, compared with zeros under one name, are merged into."""
    result = Trial("A law")
    for i, value in enumerate(values):
        found = torch.tensor(value)
        result.equal("same name", found, torch.zeros_like(found), tolerance,
                     fed=f"probe {i}", look_at=lambda i=i: f"cause {i}")  # fmt: skip
    (check,) = result.verdict().checks
    return check


def test_the_example_is_the_largest_difference_of_a_check():
    check = judged(0.0, 0.5, 0.9, 0.2)
    assert check.counterexample == "probe 2: it is 0.9 (yours) but 0 (expected)"
    assert check.max_diff == pytest.approx(0.9)
    check = judged([[0.0, 0.3], [-0.7, 0.5]])
    assert check.counterexample == "probe 0: at [1, 0] it is -0.7 (yours) but 0 (expected)"
    assert "probe 1" in judged(0.5, math.nan, math.inf, 0.9).counterexample


def test_the_hint_is_that_of_the_first_failure_because_hints_take_time():
    assert judged(0.0, 0.5, 0.9, 0.2).look_at == "cause 1"


def test_rounding_does_not_choose_among_equal_differences():
    assert "probe 1" in judged(0.0, 0.5, 0.5 + 1e-7).counterexample
    assert "at [1]" in judged([0.2, 0.5, 0.5 + 1e-7]).counterexample


@pytest.mark.parametrize(
    ("actual", "expected", "size"),
    [
        ([math.nan], [1.0], math.inf),
        ([math.nan], [math.nan], math.inf),
        ([math.inf], [1.0], math.inf),
        ([-math.inf], [-math.inf], 0.0),
        ([200.0], [100.0], 1.0),  # relative to what is large
        ([0.02], [0.01], 0.01),  # absolute for what is small
    ],
)
def test_difference(actual, expected, size):
    assert float(difference(torch.tensor(actual), torch.tensor(expected))) == pytest.approx(size)


def test_numbers_are_shown_with_the_digits_in_which_they_differ():
    text = trial(([3.64301], [3.64309])).verdict().counterexample
    assert "it is 3.64301 (yours) but 3.64309 (expected)" in text


def test_shapes_are_compared_before_numbers():
    verdict = trial(([[1.0, 2.0]], [1.0, 2.0])).verdict()
    assert "the shape is [1, 2] (yours) but [2] (expected)" in verdict.counterexample


def test_a_law_without_anything_to_judge_says_so():
    with pytest.raises(ValueError, match="give it a callable"):
        laws.batch_invariance()


# ---------------------------------------------------------------- crashes


def boom(*args):
    raise RuntimeError("the weights\nare tired")


JUDGES = {
    "batch_invariance": lambda f: laws.batch_invariance(f),
    "parity": lambda f: laws.parity(f),
    "loss_ledger": lambda f: laws.loss_ledger(f),
    "parallel_stepwise": lambda f: laws.parallel_stepwise(f),
    "search_oracle": lambda f: laws.search_oracle(f),
    "scores_add_up": lambda f: laws.scores_add_up(f),
    "shard_invariance": lambda f: laws.shard_invariance(f),
}


@pytest.mark.parametrize("law", JUDGES)
def test_an_implementation_that_raises_does_not_hold(law):
    verdict = JUDGES[law](boom)
    assert not verdict.holds
    assert "RuntimeError in boom(): the weights are tired" in verdict.counterexample


@pytest.mark.parametrize("law", JUDGES)
def test_an_implementation_that_returns_nothing_does_not_hold(law):
    assert not JUDGES[law](lambda *args: None).holds


@pytest.mark.parametrize("law", JUDGES)
def test_interruptions_get_through(law):
    def stop(*args):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        JUDGES[law](stop)


# ---------------------------------------------------------------- traces


def randomness():
    return torch.get_rng_state(), random.getstate(), numpy.random.get_state()[1].tolist()  # noqa: NPY002


@pytest.mark.parametrize("law", JUDGES)
def test_random_generators_are_put_back(law):
    def careless(*args):
        torch.manual_seed(0), random.seed(0)
        numpy.random.seed(0)  # noqa: NPY002
        torch.rand(3)
        return boom()

    before = randomness()
    JUDGES[law](careless)
    after = randomness()
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


class Careless(nn.Module):
    """Switches to evaluation and forgets, moves its batch norm, leaves gradients and no_grad."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 3)
        self.norm = nn.BatchNorm1d(3)

    def encode(self, src, lengths):
        self.norm.train()
        state = self.norm(self.words(src)[:, 0])
        self.eval()
        state.sum().backward(retain_graph=True)
        torch.set_grad_enabled(False)
        return None, state


@pytest.mark.parametrize("shown_as", ["method", "closure", "module", "nested", "partial"])
def test_modes_buffers_and_gradients_are_put_back(shown_as):
    model = Careless()
    model.forward = model.encode

    def closure(src, lengths):
        return model.encode(src, lengths)

    def nested(src, lengths):
        return closure(src, lengths)

    shown = {"method": model.encode, "closure": closure, "module": model, "nested": nested}
    shown["partial"] = partial(lambda made, *source: made.encode(*source), model)
    laws.batch_invariance(shown[shown_as])
    assert all(part.training for part in model.modules())
    assert int(model.norm.num_batches_tracked) == 0
    assert model.norm.running_mean.abs().max() == 0
    assert all(p.grad is None for p in model.parameters())
    assert torch.is_grad_enabled() and torch.backends.cudnn.enabled


def test_gradients_that_were_there_are_still_there():
    model = Careless()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    grads = [p.grad for p in model.parameters()]
    laws.batch_invariance(model.encode)
    assert all(
        p.grad is g and (g == 1).all() for p, g in zip(model.parameters(), grads, strict=True)
    )


def test_weights_are_put_back():
    words = nn.Embedding(11, 3, max_norm=0.1)  # its forward pass scales the rows that it reads
    before = words.weight.clone()
    laws.batch_invariance(words)
    laws.batch_invariance(lambda src, lengths: words(src))
    assert torch.equal(words.weight, before)


class Plain(nn.Module):
    """A bag of source words, and the target words so far."""

    def __init__(self):
        super().__init__()
        self.source, self.words = nn.Embedding(11, 5), nn.Embedding(13, 5)
        self.rnn, self.out = nn.GRU(5, 5, batch_first=True), nn.Linear(5, 13)

    def forward(self, src, tgt_in, src_mask, tgt_mask):
        context = (self.source(src) * src_mask[..., None]).sum(1, keepdim=True)
        return self.out(self.rnn(self.words(tgt_in) + context)[0])


def in_meta():
    return torch.device("meta")  # a tensor without a device of its own would have no values


@pytest.mark.parametrize("setting", [in_meta, torch.inference_mode, torch.no_grad])
def test_what_a_caller_has_set_moves_no_verdict(setting):
    def recompute(rnn, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        outputs, state = rnn(packed)
        outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs, True, total_length=x.size(1))
        return outputs, state.transpose(0, 1)

    def search(model, src, src_lengths, *settings):
        tokens = laws.greedy(model, settings[1])(src, src_lengths)
        return [[row[: row.index(EOS_ID) + 1] if EOS_ID in row else row] for row in tokens]

    def mean(logits, targets, mask):
        return nn.functional.cross_entropy(logits[mask], targets[mask])

    model = Plain().eval()
    adapter = laws.of_forward(model, model, 11, 13)
    with setting():
        verdicts = [
            *laws.judge(adapter),
            laws.modes_agree(adapter.logits, model),
            laws.loss_ledger(mean, empty_batch=False),
            laws.search_oracle(search, greedy_only=True, conventions=laws.Conventions(3, 1, 2)),
            laws.parity(recompute, cells=("gru",), num_layers=(1,)),
        ]
    assert all(verdicts), [verdict for verdict in verdicts if not verdict]


def test_verdicts_can_be_repeated():
    def noisy(src, lengths):
        return None, torch.rand(len(src), 2)

    torch.manual_seed(1)
    first = str(laws.batch_invariance(noisy))
    torch.manual_seed(2)
    assert str(laws.batch_invariance(noisy)) == first


@pytest.mark.parametrize("option", ["src_vocab_size", "tgt_vocab_size", "seed"])
def test_one_model_can_be_given_to_every_law(option):
    """Without options all laws feed ids below the same sizes, and start from the same seed."""
    said = [inspect.signature(law).parameters.get(option) for law in LAWS]
    defaults = [p.default for p in said if p and p.default is not p.empty]
    assert len(defaults) > 5 and len(set(defaults)) == 1


LAWS = [law for name in laws.__all__ if inspect.isfunction(law := getattr(laws, name))]


def test_import_is_cheap():
    """No plotting, no widgets behind ``import seq2seq_lib.laws``: nothing heavy besides torch."""
    heavy = {"matplotlib", "ipywidgets", "sacrebleu", "pooch", "tqdm", "IPython", "pandas"}
    code = (
        "import sys, torch; before = set(sys.modules); import seq2seq_lib.laws; "
        f"print({heavy} & (set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("seed", range(20))
def test_probes_are_asymmetric(seed):
    batch = probes.make_batch(seed=seed)
    (B, S), T = batch.src.shape, batch.tgt_in.size(1)
    assert len({B, S, T, 11, 13}) == 5
    for lengths, longest in ((batch.src_lengths, S), (batch.tgt_lengths, T)):
        values = lengths.tolist()
        assert 1 in values and longest in values
        assert values not in (sorted(values), sorted(values, reverse=True))
    assert (batch.tgt_in[:, 0] == BOS_ID).all()
    rows = torch.arange(B)
    assert (batch.src[rows, batch.src_lengths - 1] == EOS_ID).all()
    assert (batch.tgt_out[rows, batch.tgt_lengths - 1] == EOS_ID).all()
    assert (batch.tgt_in[:, 1:] == batch.tgt_out[:, :-1])[batch.tgt_mask[:, 1:]].all()
    assert (batch.src == PAD_ID).eq(~batch.src_mask).all()
    planted = probes.fill_pads(batch, probes.noise(batch, 11, 13, seed))
    assert (planted.src != PAD_ID).all() and (planted.tgt_out != PAD_ID).all()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", probes.SHAPES)
def test_a_sort_put_back_by_itself_shows_in_the_other_order(shape, seed):
    batch = probes.make_batch(shape, seed=seed)
    rows = probes.reordered(batch)
    order = batch.src_lengths[rows].argsort(descending=True, stable=True)
    assert sorted(rows) == list(range(len(batch))) and order[order].tolist() != sorted(rows)
    assert all(row != place for place, row in enumerate(rows))


def test_a_vocabulary_too_small_for_a_probe_is_refused():
    with pytest.raises(ValueError, match="at least 5 ids"):
        probes.make_batch(src_vocab_size=4)
