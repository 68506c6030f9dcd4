"""Exercise 3.8b: a test that rejects models which do not read their source."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq_lib import laws
from seq2seq_lib.batching import Batch
from seq2seq_lib.course.ch03_encoder_decoder.given import few_strings
from seq2seq_lib.course.ch03_encoder_decoder.patient import PatientModel
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

V, E, H = 14, 8, 12


def test_patient(make_model: Callable[[], nn.Module]) -> None:
    model, batch = make_model(), few_strings()
    before = model(batch)  # [B, T, V]
    for b, length in enumerate(batch.src_lengths.tolist()):
        for t in range(length - 1):  # the last token is EOS
            src = batch.src.clone()
            src[b, t] = 4 + (src[b, t] - 3) % 10  # the next digit
            change = (model(replace(batch, src=src)) - before).abs().amax((1, 2))  # [B]
            assert change[b] > 1e-7, "its own row must move"
            assert (change[torch.arange(len(batch)) != b] < 1e-5).all(), "no other row may"
    before.square().sum().backward()
    for parameter in model.encoder.parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0


def test_patient_row_by_row(make_model: Callable[[], nn.Module]) -> None:
    """A row alone is the row in the batch; alone, each changed word gives other logits."""
    model, batch = make_model(), few_strings()
    together = model(batch)
    for b, length in enumerate(batch.src_lengths.tolist()):
        one = batch.select(torch.tensor([b]))
        alone = replace(one, src=one.src[:, :length])
        torch.testing.assert_close(model(alone)[0], together[b], atol=1e-5, rtol=1e-4)
        for t in range(length - 1):
            src = alone.src.clone()
            src[0, t] = 4 if src[0, t] != 4 else 5
            assert not torch.equal(model(replace(alone, src=src))[0], model(alone)[0])
    weights = torch.linspace(0, 1, together.numel()).view_as(together)
    (together * weights).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.encoder.parameters())


# ---------------------------------------------------------------- innocents


class Translator(PatientModel):
    """The patient, healed; ``bridge`` is what the suspects change."""

    def __init__(self, hidden_size: int = H) -> None:
        super().__init__(V, E, hidden_size)
        self.decoder.is_decoder = True

    def forward(self, batch: Batch) -> Tensor:
        return self.decoder(batch.tgt_in, self.bridge(self.read(batch)))

    def read(self, batch: Batch) -> Tensor:
        return self.encoder(batch.src, batch.src_lengths)

    def bridge(self, state: Tensor) -> Tensor:
        return state


def our_model(**options: Any) -> Seq2Seq:
    """The library's, with the context at every step, LSTM or attention."""
    return Seq2Seq(Seq2SeqConfig(V, V, E, H, dropout=0.0, **options))


def made(kind: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """The same weights at each call, whatever the global generator does."""

    def make_model() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            return kind()

    return make_model


INNOCENT = tuple(
    made(kind)
    for kind in (
        Translator,
        partial(Translator, 2),  # two units read, too
        partial(our_model, attention="none", bidirectional=False),
        partial(our_model, attention="none", cell="lstm"),
        partial(our_model, attention="general"),
    )
)


# ---------------------------------------------------------------- suspects


class MeanOfTheBatch(Translator):
    def bridge(self, state: Tensor) -> Tensor:
        return state.mean(1, keepdim=True).expand_as(state).contiguous()


class FirstRow(Translator):
    def bridge(self, state: Tensor) -> Tensor:
        return state[:, :1].expand_as(state).contiguous()


class OtherRow(Translator):
    def bridge(self, state: Tensor) -> Tensor:
        return state.roll(1, 1)


class Detached(Translator):
    def bridge(self, state: Tensor) -> Tensor:
        return state.detach()


class LastWordAlone(Translator):
    def read(self, batch: Batch) -> Tensor:
        last = (batch.src_lengths - 2).clamp(min=0)[:, None]  # [B, 1]
        return self.encoder(batch.src.gather(1, last), torch.ones_like(batch.src_lengths))


class LengthAlone(Translator):
    def read(self, batch: Batch) -> Tensor:
        return self.encoder(torch.full_like(batch.src, 4), batch.src_lengths)


class ReadsTheTarget(Translator):
    def read(self, batch: Batch) -> Tensor:
        return self.encoder(batch.tgt_in, batch.tgt_lengths)


SUSPECTS = {
    "blind": made(PatientModel),
    "batch_mean": made(MeanOfTheBatch),
    "first_row": made(FirstRow),
    "other_row": made(OtherRow),
    "detached": made(Detached),
    "last_word": made(LastWordAlone),
    "length_alone": made(LengthAlone),
    "reads_target": made(ReadsTheTarget),
}


def test_by_law(make_model: Callable[[], nn.Module]) -> None:
    """The library's own question, as a test."""
    model = make_model()
    verdict = laws.reads_source(
        model, parameters=model.encoder.parameters(), src_vocab_size=V, tgt_vocab_size=V
    )
    assert verdict, verdict


TASK = DetectiveTask(
    INNOCENT,
    SUSPECTS,
    patient="blind",
    tiers=((1, 2), (5, 1), (len(SUSPECTS), 1)),
    called=("model", "models"),
)
EXERCISES = (
    detective(
        "3.8b",
        test_patient,
        TASK,
        difficulty=4,
        minutes=18,
        words=words_beside(__file__),
        alternatives=(test_patient_row_by_row, test_by_law),
    ),
)
