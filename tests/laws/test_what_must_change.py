"""Beside the laws: gradients that arrive, modes that agree, labels that fit, steps as a whole."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seq2seq_lib import laws
from seq2seq_lib.laws import probes
from tests.laws import mutants_shard_invariance as shards
from tests.laws.test_reads_source import Blind, Dead, Detached, Reader, ZeroGradient

# ---------------------------------------------------------------- gradients


def loss_of(model):
    def loss(batch):
        logits = model.logits(batch).transpose(1, 2)
        return F.cross_entropy(logits, laws.labels(batch), reduction="sum"), batch.tgt_mask.sum()

    return loss


class HalfDetached(Reader):
    """One of two ways is cut: every parameter gets a gradient, and it is not the gradient."""

    def bridge(self, state):
        return 0.3 * state + 0.7 * state.detach()


class Faint(Reader):
    """What is cut moves the loss by less than a finite difference can measure."""

    def read(self, src, lengths):
        with torch.no_grad():
            words = 1e-6 * self.source(src)
        return self.encoder(words)[1]


class WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad


class OwnBackward(Reader):
    def bridge(self, state):
        return WrongBackward.apply(state)


FLOWS = {
    Reader: None,
    Detached: ("a gradient reaches every parameter", "detach()"),
    ZeroGradient: ("a gradient reaches every parameter", "detach()"),
    Faint: ("a gradient reaches every parameter", "the loss does change with it"),
    Dead: ("a gradient reaches every parameter", "who uses it"),
    Blind: ("a gradient reaches every parameter", "who uses it"),
    HalfDetached: ("gradient = finite difference", "one of several paths"),
    OwnBackward: ("gradient = finite difference", "a custom backward"),
}


@pytest.mark.parametrize("kind", FLOWS, ids=lambda kind: kind.__name__)
def test_gradients_are_what_they_should_be(kind):
    model = kind()
    before = [p.clone() for p in model.parameters()]
    verdict = laws.gradient_flow(loss_of(model), model.named_parameters())
    if FLOWS[kind] is None:
        assert verdict, verdict
    else:
        check, words = FLOWS[kind]
        assert check in [c.name for c in verdict.checks if c.broken], verdict
        assert words in verdict.look_at and "parameter" in verdict.counterexample
    for now, then in zip(model.parameters(), before, strict=True):
        assert now.dtype == torch.float32 and torch.equal(now, then)


def test_a_loss_that_bends_sharply_has_a_slope_all_the_same():
    model = Reader()
    inner = loss_of(model)

    def loss(batch, twice=1.0):
        total, tokens = inner(batch)
        bent = torch.sin(2e4 * model.out.bias[0])
        return total + twice * bent + (1 - twice) * bent.detach(), tokens

    assert laws.gradient_flow(loss, [model.out.bias])
    assert not laws.gradient_flow(lambda batch: loss(batch, 0.5), [model.out.bias])


def test_single_numbers_are_judged_like_all_others():
    model, scale = Reader(), nn.Parameter(torch.ones(1))

    def loss(batch, scale=scale):
        total = F.cross_entropy(
            scale * model.logits(batch).transpose(1, 2), laws.labels(batch), reduction="sum"
        )
        return total, batch.tgt_mask.sum()

    for seed in range(6):
        assert laws.gradient_flow(loss, [scale], seed=seed)
        cut = laws.gradient_flow(
            lambda batch: loss(batch, (scale + scale.detach()) / 2), [scale], seed=seed
        )
        assert "one of several paths" in cut.look_at, cut


def test_what_is_hard_wired_to_float32_is_judged_in_float32():
    model = Reader()
    inner = loss_of(model)

    def loss(batch):
        total, tokens = inner(batch)
        return total + 0 * (torch.ones(1, 3) @ model.out.weight[:3, :1]).sum(), tokens

    assert laws.gradient_flow(loss, model.parameters())


def test_half_precision_has_too_few_digits_for_a_slope():
    """A model in half precision is judged in double; what autocast rounds is not judged."""
    model = Reader().bfloat16()
    assert laws.gradient_flow(loss_of(model), model.parameters())
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    model = Reader()

    def mixed(batch):
        with torch.autocast("cpu", torch.bfloat16):
            logits = model.logits(batch).float()
        labels = laws.labels(batch)
        return F.cross_entropy(logits.transpose(1, 2), labels, reduction="sum"), labels.numel()

    verdict = laws.gradient_flow(mixed, model.parameters())
    assert verdict.status == "NOT JUDGED" and "no autocast" in verdict.look_at, verdict


def test_frozen_parameters_are_passed_over_and_noise_is_no_gradient():
    model = Reader()
    model.source.weight.requires_grad_(False)
    assert laws.gradient_flow(loss_of(model), model.parameters())
    with pytest.raises(ValueError, match="requires_grad=True"):
        laws.gradient_flow(loss_of(model), [model.source.weight])

    def noisy(batch):
        return F.dropout(model.logits(batch), 0.5).sum(), batch.tgt_mask.sum()

    verdict = laws.gradient_flow(noisy, model.parameters())
    assert verdict.status == "NOT JUDGED" and "two losses" in verdict.counterexample


# ---------------------------------------------------------------- modes


class TwoModes(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.words, self.out = nn.Embedding(13, 6), nn.Linear(6, 13)
        self.dropout, self.norm = nn.Dropout(0.4), nn.BatchNorm1d(6)
        self.rnn = nn.GRU(6, 6, 2, dropout=0.3, batch_first=True)

    def logits(self, batch):
        x = self.rnn(self.dropout(self.words(batch.tgt_in)))[0]
        if self.kind == "looks ahead in evaluation" and not self.training:
            x = x + x.flip(1)
        if self.kind == "batch norm":
            x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        if self.kind == "functional dropout":
            x = F.dropout(x, 0.3, self.training)
        return self.out(x)


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("right", "HOLDS", ""),
        ("looks ahead in evaluation", "BROKEN", "self.training"),
        ("batch norm", "BROKEN", "statistics differ between the modes on purpose"),
        ("functional dropout", "NOT JUDGED", "nn.Dropout"),
    ],
)
def test_modes(kind, status, words):
    model = TwoModes(kind)
    if kind != "batch norm":
        del model.norm
    verdict = laws.modes_agree(model.logits, model)
    assert verdict.status == status and words in verdict.look_at, verdict
    assert (model.dropout.p, model.rnn.dropout, model.training) == (0.4, 0.3, True)


# ---------------------------------------------------------------- collators

BART = laws.Conventions(1, 2, 2)


def collator(conventions=BART, ignore=-100, shift=True, end=True, mask_by_id=False, cut=None):
    """Sources and labels with EOS, as Hugging Face's."""
    pad, bos, eos = conventions.pad_id, conventions.bos_id, conventions.eos_id

    def padded(rows, filler):
        width = max(map(len, rows))
        filled = [row + [filler] * (width - len(row)) for row in rows]
        if conventions.pad_side == "left" and filler == pad:
            filled = [[filler] * (width - len(row)) + row for row in rows]
        return torch.tensor(filled)

    def collate(pairs):
        sources = [(source + [eos])[:cut] for source, _ in pairs]
        targets = [target + [eos] * end for _, target in pairs]
        batch = {"input_ids": padded(sources, pad), "labels": padded(targets, ignore)}
        real = padded([[1] * len(source) for source in sources], 0)
        if conventions.pad_side == "left":
            real = torch.tensor([[0] * (real.size(1) - len(s)) + [1] * len(s) for s in sources])
        batch["attention_mask"] = (batch["input_ids"] != pad).long() if mask_by_id else real
        if shift:
            batch["decoder_input_ids"] = shifted(batch["labels"], bos, pad, ignore)
        return batch

    return collate


def shifted(labels, bos, pad, ignore):
    start = torch.full_like(labels[:, :1], bos)
    read = torch.cat([start, labels[:, :-1]], 1)
    return read.masked_fill(read == ignore, pad)


PAD_IS_EOS = laws.Conventions(9, 9, 9)
COLLATORS = {
    "right": (collator(), BART, None),
    "right, pads on the left": (
        collator(laws.Conventions(1, 2, 2, pad_side="left")),
        laws.Conventions(1, 2, 2, pad_side="left"), None,
    ),
    "right, pad = eos": (collator(PAD_IS_EOS), PAD_IS_EOS, None),
    "the mask hides the end": (
        lambda pairs: {
            **(batch := collator()(pairs)), "attention_mask": (batch["input_ids"] > 2).long()
        },
        BART, "EOS among them",
    ),
    "pads are labels": (collator(ignore=1), BART, "they must be -100"),
    "no end": (collator(end=False), BART, "one EOS that is scored"),
    "the end is ignored as a pad": (
        lambda pairs: {
            k: v.masked_fill(v == 9, -100) if k == "labels" else v
            for k, v in collator(PAD_IS_EOS, shift=False)(pairs).items()
        },
        PAD_IS_EOS, "Mask by length",
    ),
    "-100 is read": (
        lambda pairs: {
            **(batch := collator(shift=False)(pairs)),
            "decoder_input_ids": torch.cat(
                [torch.full_like(batch["labels"][:, :1], 2), batch["labels"][:, :-1]], 1
            ),
        },
        BART, "has no embedding",
    ),
    "shifted twice": (
        lambda pairs: {
            **(batch := collator(shift=False)(pairs)),
            "labels": torch.cat([batch["labels"][:, 1:], batch["labels"][:, :1] * 0 - 100], 1),
        },
        BART, "the shift",
    ),
    "not shifted": (
        lambda pairs: {
            **(batch := collator(shift=False)(pairs)),
            "decoder_input_ids": batch["labels"].clamp(min=1),
        },
        BART, "labels are not shifted",
    ),
    "a mask by id where the end is a pad": (
        collator(laws.Conventions(9, 9, 9, pad_side="left"), mask_by_id=False, cut=2),
        laws.Conventions(9, 9, 9, pad_side="left"), "truncation",
    ),
    "the pairs' own lists grow, and with each epoch more": (
        lambda pairs: (collator()(pairs), [target.append(2) for _, target in pairs])[0],
        BART, "a write into an argument",
    ),
    "the pairs are sorted in place": (
        lambda pairs: (collator()(pairs), pairs.sort(reverse=True))[0],
        BART, "a write into an argument",
    ),
    "the pairs' ids are replaced": (
        lambda pairs: (collator()(pairs), pairs[0][0].__setitem__(0, 3))[0],
        BART, "a write into an argument",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COLLATORS)
def test_collators(name):
    collate, conventions, words = COLLATORS[name]
    verdict = laws.label_shift(collate, conventions=conventions)
    assert verdict.holds == (words is None), verdict
    assert words is None or words in verdict.look_at, verdict


def test_a_wrong_mask_is_found():
    def inverted(pairs):
        batch = collator()(pairs)
        return {**batch, "attention_mask": 1 - batch["attention_mask"]}

    assert "1 (or True) at real tokens" in laws.label_shift(inverted, conventions=BART).look_at


def test_the_model_s_own_shift_is_judged():
    collate = collator(shift=False)
    good = lambda labels: shifted(labels, 2, 1, -100)  # noqa: E731
    assert laws.label_shift(collate, shift=good, conventions=BART)
    assert not laws.label_shift(collate, shift=lambda x: x.roll(1, 1), conventions=BART)


def test_our_own_collate_holds():
    from seq2seq_lib.batching import collate

    verdict = laws.label_shift(collate, ignore_id=0)
    assert verdict and "labels are 0 at pads" in str(verdict), verdict


# ---------------------------------------------------------------- a whole training step


def training_step(divide, optimizer, clip=None):
    model = shards.Model()
    optimizer = optimizer(model.parameters())

    def loss(batch):
        logits = model(batch).transpose(1, 2)
        return F.cross_entropy(logits, laws.labels(batch), reduction="sum"), batch.tgt_mask.sum()

    def step(batches):
        optimizer.zero_grad()
        tokens = sum(batch.tgt_mask.sum() for batch in batches)
        for batch in batches:
            total, own = loss(batch)
            (total / divide(own, tokens, len(batches))).backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad()

    return step, model


def adam(parameters):
    return torch.optim.AdamW(parameters, lr=0.1)


@pytest.mark.parametrize("clip", [None, 0.01])
def test_a_step_that_divides_once_holds(clip):
    step, model = training_step(lambda own, tokens, n: tokens, adam, clip)
    before = [p.clone() for p in model.parameters()]
    assert laws.shard_invariance(laws.of_training_step(step, model))
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))


def test_a_step_that_averages_averages_is_named_behind_any_optimiser():
    step, model = training_step(lambda own, tokens, n: own.clamp(min=1) * n, adam)
    verdict = laws.shard_invariance(laws.of_training_step(step, model))
    assert "plain mean of the shards' own gradients" in verdict.look_at


def test_a_step_without_an_optimiser_leaves_its_gradients():
    model = shards.Model()

    def step(batches):
        for batch in batches:
            F.cross_entropy(model(batch).transpose(1, 2), laws.labels(batch)).backward()

    gradients = laws.of_training_step(step, model)
    verdict = laws.shard_invariance(gradients, empty_shard=False)
    assert "sum of the shards' own mean gradients" in verdict.look_at


def test_pads_that_are_read_are_told_from_a_wrong_division():
    model = shards.Model()

    def loss(batch):
        logits = model(batch) + 0.1 * batch.tgt_in.size(1)
        logits = logits * (1 + batch.tgt_in.size(1))
        nll = F.cross_entropy(logits.transpose(1, 2), laws.labels(batch), reduction="sum")
        return nll, batch.tgt_mask.sum()

    gradients = laws.summed_gradients(loss, model.parameters())
    verdict = laws.shard_invariance(gradients)
    assert verdict.look_at.startswith("the pads")
    assert len(probes.SHAPES) == 2
