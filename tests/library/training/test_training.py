"""Training: one gradient however the batches are cut, and runs that go on where they stopped."""

import importlib
import math
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from seq2seq_lib import schedules
from seq2seq_lib.batching import Batch, collate, make_loader
from seq2seq_lib.losses import LossSum, sequence_loss
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import (
    CheckpointError,
    EpochRecord,
    History,
    TrainConfig,
    evaluate,
    fit,
    learning_rate,
    load_checkpoint,
    save_checkpoint,
    teacher_forced_loss,
    train_step,
)
from seq2seq_lib.vocab import Vocab

QUIET = {"progress": False}
FIT = importlib.import_module("seq2seq_lib.training.fit")  # as an attribute it is the function


def make_model(seed=0, **options):
    torch.manual_seed(seed)
    sizes = {"src_vocab_size": 9, "tgt_vocab_size": 11, "embed_size": 5, "hidden_size": 6}
    return Seq2Seq(Seq2SeqConfig(**{**sizes, "dropout": 0.3, **options}))


def make_examples(count=23, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def sentence(size):
        length = int(torch.randint(1, 7, (), generator=generator))
        return torch.randint(3, size, (length,), generator=generator).tolist()

    return [(sentence(9), sentence(11)) for _ in range(count)]


def loader(count=23, batch_size=4, **options):
    return make_loader(make_examples(count), batch_size, **options)  # 23 / 4: 6 batches


def weights(model):
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def timeless(history):
    return [replace(record, seconds=0.0) for record in history.records]


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


# --- one step


def gradients(model, batches):
    model.zero_grad()
    train_step(model, batches, torch.optim.SGD(model.parameters(), lr=0.0), clip_norm=None,
               loss_function=teacher_forced_loss())  # fmt: skip
    return torch.cat([p.grad.flatten() for p in model.parameters()])


@settings(max_examples=25)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=4), st.integers(0, 99))
def test_several_small_batches_give_the_gradient_of_one_large_batch(sizes, seed):
    model = make_model(dropout=0.0).double()
    examples = make_examples(sum(sizes), seed)
    parts, start = [], 0
    for size in sizes:
        parts.append(collate(examples[start : start + size]))
        start += size
    large, small = gradients(model, [collate(examples)]), gradients(model, parts)
    torch.testing.assert_close(large, small, atol=1e-12, rtol=0)  # float64: only the order differs


def test_the_loss_of_a_window_is_that_of_all_its_tokens():
    model, examples = make_model(dropout=0.0), make_examples(7)
    window = [collate(examples[:1]), collate(examples[1:])]
    expected = evaluate(model, window)
    found = train_step(model, window, sgd(model), loss_function=teacher_forced_loss())
    assert found.tokens == expected.tokens == sum(len(target) + 1 for _, target in examples)
    assert found.mean == pytest.approx(float(expected.mean), rel=1e-6)
    assert not found.total.requires_grad


def test_a_step_lowers_the_loss_on_its_batch():
    model, batch = make_model(dropout=0.0).eval(), collate(make_examples(8))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    losses = [
        train_step(model, [batch], optimizer, loss_function=teacher_forced_loss()).mean
        for _ in range(40)
    ]
    assert losses[-1] < 0.5 * losses[0]
    assert model.training


def test_clipping_bounds_the_norm_of_the_whole_gradient():
    batch = collate(make_examples(8))
    for clip_norm in (0.01, 1e9, None):
        model = make_model(dropout=0.0)
        before = torch.cat([p.detach().flatten() for p in model.parameters()])
        train_step(model, [batch], torch.optim.SGD(model.parameters(), lr=1.0),
                   loss_function=teacher_forced_loss(), clip_norm=clip_norm)  # fmt: skip
        moved = (torch.cat([p.detach().flatten() for p in model.parameters()]) - before).norm()
        full = gradients(make_model(dropout=0.0), [batch]).norm()
        expected = min(float(full), math.inf if clip_norm is None else clip_norm)
        # torch divides by norm + 1e-6
        assert float(moved) == pytest.approx(expected, rel=1e-3)
        assert full > 0.01


def pads_only():
    batch = collate(make_examples(3))
    return replace(batch, tgt_lengths=torch.zeros(3, dtype=torch.int64))


def test_a_batch_of_pads_alone_updates_nothing():
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.5)
    before = weights(model)
    loss = train_step(model, [pads_only()], optimizer, loss_function=teacher_forced_loss())
    assert loss.tokens == 0 and loss.mean == 0
    assert same(before, weights(model)) and not optimizer.state
    mixed = [pads_only(), collate(make_examples(3))]
    assert train_step(model, mixed, optimizer, loss_function=teacher_forced_loss()).tokens > 0
    assert not same(before, weights(model))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e38])  # the last: an infinite norm
def test_a_loss_that_is_not_finite_raises_and_leaves_the_weights(bad):
    def broken(model, batch, step):
        loss = teacher_forced_loss()(model, batch, step)
        return LossSum(loss.total * bad, loss.tokens)

    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0)
    before = weights(model)
    with pytest.raises(FloatingPointError, match="step 3 is (nan|inf).*nothing was updated"):
        train_step(model, [collate(make_examples(3))], optimizer, loss_function=broken, step=3)
    assert same(before, weights(model)) and not optimizer.state
    # The next good batch trains as if the bad one had never come.
    twin = make_model()
    for m in (model, twin):
        torch.manual_seed(1)
        optimizer = torch.optim.AdamW(m.parameters(), lr=1.0)
        train_step(m, [collate(make_examples(4))], optimizer, loss_function=teacher_forced_loss())
    assert same(weights(model), weights(twin))


def test_a_step_needs_a_batch():
    model = make_model()
    with pytest.raises(ValueError, match="no batches"):
        train_step(model, [], sgd(model), loss_function=teacher_forced_loss())


# --- the loss function


def test_label_smoothing_acts_in_training_only():
    model, batch = make_model(dropout=0.0), collate(make_examples(4))

    def total(loss_function):
        return loss_function(model, batch, 0).total.item()

    plain, smooth = teacher_forced_loss(), teacher_forced_loss(label_smoothing=0.2)
    model.train()
    expected = sequence_loss(model(batch), batch.tgt_out, batch.tgt_mask, label_smoothing=0.2)
    assert total(smooth) == expected.total.item() != total(plain)
    model.eval()
    assert total(smooth) == total(plain)


def test_the_schedule_of_teacher_forcing_reaches_the_model():
    asked = []

    class Watched(Seq2Seq):
        def forward(self, batch, teacher_forcing_ratio=1.0, generator=None):
            asked.append(teacher_forcing_ratio)
            return super().forward(batch, teacher_forcing_ratio, generator)

    torch.manual_seed(0)
    model = Watched(make_model().config)
    schedule = partial(schedules.linear, start=1.0, end=0.0, num_steps=4)
    fit(model, loader(), loader(4), TrainConfig(epochs=1), **QUIET,
        loss_function=teacher_forced_loss(teacher_forcing=schedule))  # fmt: skip
    assert asked[:6] == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    assert asked[6:] == [1.0]  # validation is teacher forced, whatever the schedule says


# --- evaluation


def test_evaluation_does_not_depend_on_the_batches():
    model, examples = make_model(), make_examples(17)
    results = [evaluate(model, make_loader(examples, size, shuffle=False)) for size in (1, 3, 17)]
    assert len({int(r.tokens) for r in results}) == 1
    for result in results[1:]:
        # float32: sums over other batches round differently
        assert float(result.mean) == pytest.approx(float(results[0].mean), rel=1e-5)
    # A mean of means would differ: the batches of three are of unequal length.
    batches = list(make_loader(examples, 3, shuffle=False))
    means = [float(evaluate(model, [batch]).mean) for batch in batches]
    assert abs(sum(means) / len(means) - float(results[0].mean)) > 1e-4


def test_evaluation_changes_nothing():
    model = make_model()
    model.train()
    model.encoder.eval()
    modes = [m.training for m in model.modules()]
    before, random_state = weights(model), torch.get_rng_state()
    data = DataLoader(make_examples(9), 4, shuffle=True, collate_fn=collate)
    first, second = evaluate(model, data), evaluate(model, data)
    assert float(first.total) == float(second.total)  # no dropout, the same shuffle
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(random_state, torch.get_rng_state())
    assert same(before, weights(model)) and all(p.grad is None for p in model.parameters())
    assert not first.total.requires_grad


def test_evaluation_puts_the_mode_back_after_an_error():
    model = make_model().train()
    with pytest.raises(ZeroDivisionError):
        evaluate(model, loader(), loss_function=lambda model, batch, step: 1 // 0)
    assert model.training and torch.is_grad_enabled()


def test_evaluation_hands_the_step_on_and_refuses_nothing_to_evaluate():
    steps = []

    def watch(model, batch, step):
        steps.append((step, model.training))
        return teacher_forced_loss()(model, batch, step)

    evaluate(make_model(), loader(8), loss_function=watch, step=7)
    assert steps == [(7, False), (7, False)]
    with pytest.raises(ValueError, match="empty loader"):
        evaluate(make_model(), [])


# --- the learning rate


def test_the_learning_rate_warms_up_and_stays():
    config = TrainConfig(learning_rate=0.8, warmup_steps=4)
    found = [learning_rate(step, config, 10) for step in range(6)]
    assert found == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


def test_the_learning_rate_falls_along_half_a_cosine():
    config = TrainConfig(learning_rate=2.0, warmup_steps=2, cosine_decay=True)
    found = [learning_rate(step, config, 8) for step in range(10)]
    # after the warm-up 1 + cos(pi s / 6) for s = 0 .. 6; then it stays 0
    root = math.sqrt(3) / 2
    assert found == pytest.approx(
        [1.0, 2.0, 2.0, 1 + root, 1.5, 1.0, 0.5, 1 - root, 0.0, 0.0], abs=1e-12
    )
    assert learning_rate(5, TrainConfig(warmup_steps=5, cosine_decay=True), 5) == 2e-3


def test_fit_uses_the_learning_rate_of_each_step_and_the_other_settings(monkeypatch):
    seen, settings = [], set()

    def watch(model, batches, optimizer, **options):
        group = optimizer.param_groups[0]
        seen.append((options["step"], len(batches), group["lr"]))
        settings.add((options["clip_norm"], group["weight_decay"]))
        return train_step(model, batches, optimizer, **options)

    monkeypatch.setattr(FIT, "train_step", watch)
    config = TrainConfig(
        epochs=2,
        accumulate=4,
        learning_rate=0.1,
        cosine_decay=True,
        clip_norm=0.7,
        weight_decay=0.3,
    )
    fit(make_model(), loader(), config=config, **QUIET)
    assert settings == {(0.7, 0.3)}
    # 6 batches an epoch in windows of 4: two steps an epoch, four in all
    assert [(step, size) for step, size, _ in seen] == [(0, 4), (1, 2), (2, 4), (3, 2)]
    expected = [learning_rate(step, config, 4) for step in range(4)]
    assert [lr for _, _, lr in seen] == expected and expected[0] == 0.1 > expected[3] > 0


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"accumulate": 0},
        {"patience": 0},
        {"checkpoint_every": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"learning_rate": math.inf},
        {"clip_norm": 0.0},
        {"clip_norm": float("nan")},
        {"warmup_steps": -1},
        {"weight_decay": -0.1},
        {"weight_decay": float("nan")},
        {"label_smoothing": 1.0},
        {"label_smoothing": -0.1},
        {"average_from": 1.0},
        {"average_from": -0.1},
    ],
)
def test_settings_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        TrainConfig(**options)
    for name in ("epochs", "warmup_steps"):
        with pytest.raises(TypeError, match=f"{name} must be an integer"):
            TrainConfig(**{name: 2.5})


# --- fit


def test_the_history_counts_every_token_of_every_epoch():
    examples = make_examples(23)
    history = fit(make_model(), loader(), loader(5), TrainConfig(epochs=3), **QUIET)
    assert [(r.epoch, r.step) for r in history.records] == [(1, 6), (2, 12), (3, 18)]
    assert {r.tokens for r in history.records} == {sum(len(t) + 1 for _, t in examples)}
    assert all(r.seconds > 0 and r.valid_loss > 0 for r in history.records)
    assert history.records[-1].train_loss < history.records[0].train_loss
    assert not history.stopped_early
    assert fit(make_model(), loader(), **QUIET, config=TrainConfig(1)).records[0].valid_loss is None


def test_the_training_loss_of_an_epoch_is_summed_loss_over_summed_tokens():
    model = make_model(dropout=0.0)
    expected = float(evaluate(model, loader()).mean)
    tiny = TrainConfig(epochs=1, learning_rate=1e-30)  # the model stays where it is
    record = fit(model, loader(), config=tiny, **QUIET).records[0]
    assert record.train_loss == pytest.approx(expected, rel=1e-5)  # float32 sums in another order


def test_fit_is_reproducible_and_ends_in_evaluation_mode():
    def run():
        torch.manual_seed(5)
        model = make_model()
        history = fit(model, loader(), loader(5), TrainConfig(epochs=2), **QUIET)
        assert not any(m.training for m in model.modules())
        return weights(model), timeless(history)

    (one, first), (other, second) = run(), run()
    assert same(one, other) and first == second


def test_neither_validation_nor_after_epoch_changes_the_training():
    def noisy(model, record):
        torch.rand(7)
        model(collate(make_examples(2)))

    watched, plain = make_model(), make_model()
    torch.manual_seed(1)
    valid = DataLoader(make_examples(6), 2, shuffle=True, collate_fn=collate)
    fit(watched, loader(), valid, TrainConfig(epochs=2), after_epoch=noisy, **QUIET)
    torch.manual_seed(1)
    fit(plain, loader(), config=TrainConfig(epochs=2), **QUIET)
    assert same(weights(plain), weights(watched))


def test_every_epoch_has_its_own_order():
    seen = []

    def watch(model, batch, step):
        seen.append(batch.src.tolist())
        return teacher_forced_loss()(model, batch, step)

    fit(make_model(), loader(), config=TrainConfig(epochs=2), loss_function=watch, **QUIET)
    assert seen[:6] != seen[6:]
    assert sum(map(len, seen[:6])) == sum(map(len, seen[6:])) == 23


def test_after_epoch_gets_the_model_and_the_record():
    seen = []
    model = make_model()
    history = fit(model, loader(), config=TrainConfig(epochs=2), **QUIET,
                  after_epoch=lambda *args: seen.append(args))  # fmt: skip
    assert [m for m, _ in seen] == [model, model] and [r for _, r in seen] == history.records


def test_the_progress_bar_is_shown_or_not(capfd):
    pytest.importorskip("tqdm")  # an extra
    config = TrainConfig(epochs=1, accumulate=2)
    fit(make_model(), loader(200), config=config, progress=True)
    shown = capfd.readouterr()
    assert "epoch 1" in shown.err + shown.out and "loss=" in shown.err + shown.out
    fit(make_model(), loader(), config=config, progress=False)
    assert capfd.readouterr() == ("", "")


def test_the_loss_function_knows_the_step_and_whether_it_validates():
    seen = []

    def watch(model, batch, step):
        seen.append((step, model.training))
        return teacher_forced_loss()(model, batch, step)

    fit(make_model(), loader(8), loader(4), TrainConfig(epochs=2), loss_function=watch, **QUIET)
    train, valid = (lambda step: (step, True)), (lambda step: (step, False))
    assert seen == [train(0), train(1), valid(2), train(2), train(3), valid(4)]


def test_any_sized_iterable_of_batches_will_do():
    batches = [collate(make_examples(4, seed)) for seed in range(3)]
    history = fit(make_model(), batches, batches[:1], TrainConfig(epochs=2), **QUIET)
    assert [r.step for r in history.records] == [3, 6]
    with pytest.raises(ValueError, match="no batches"):
        fit(make_model(), [], config=TrainConfig(epochs=1), **QUIET)


def test_smoothing_beside_a_loss_function_of_ones_own_is_refused():
    with pytest.raises(ValueError, match="label_smoothing has no effect"):
        fit(make_model(), loader(), config=TrainConfig(label_smoothing=0.1), **QUIET,
            loss_function=teacher_forced_loss())  # fmt: skip


def test_a_nan_in_an_epoch_stops_fit_with_the_weights_before_it():
    def broken(model, batch, step):
        loss = teacher_forced_loss()(model, batch, step)
        return LossSum(loss.total * (float("nan") if step == 4 else 1.0), loss.tokens)

    model = make_model()
    with pytest.raises(FloatingPointError, match="step 4"):
        fit(model, loader(), config=TrainConfig(epochs=2), loss_function=broken, **QUIET)
    assert all(weight.isfinite().all() for weight in weights(model).values())


# --- early stopping and the best epoch


def valid_losses(monkeypatch, losses):
    """Make validation return the given losses, epoch by epoch."""
    left = list(losses)
    monkeypatch.setattr(
        FIT, "evaluate", lambda *a, **o: LossSum(torch.tensor(left.pop(0)), torch.tensor(1))
    )


def fit_and_watch(config, path=None, resume=None, seed=0):
    """The history, the final weights, and those after each epoch."""
    model, seen = make_model(seed), []
    history = fit(
        model, loader(), loader(5), config, checkpoint_path=path, resume=resume, **QUIET,
        after_epoch=lambda model, record: seen.append(weights(model)),
    )  # fmt: skip
    return history, weights(model), seen


def test_patience_stops_and_leaves_the_best_weights(monkeypatch):
    valid_losses(monkeypatch, [3.0, 2.0, 2.5, 2.0, 9.0])
    history, final, seen = fit_and_watch(TrainConfig(epochs=9, patience=2))
    assert len(history.records) == 4 and history.stopped_early  # an equal loss is no better one
    assert history.best.epoch == 2
    assert same(final, seen[1]) and not same(final, seen[3])


def test_keep_best_goes_through_all_epochs(monkeypatch):
    valid_losses(monkeypatch, [3.0, 1.0, 2.5])
    history, final, seen = fit_and_watch(TrainConfig(epochs=3, keep_best=True))
    assert len(history.records) == 3 and not history.stopped_early
    assert same(final, seen[1])
    valid_losses(monkeypatch, [3.0, 1.0, 2.5])
    _, final, seen = fit_and_watch(TrainConfig(epochs=3))
    assert same(final, seen[2])


def test_the_best_weights_are_averaged_ones_once_there_is_an_average(monkeypatch):
    valid_losses(monkeypatch, [3.0, 1.0, 2.5])
    _, final, seen = fit_and_watch(TrainConfig(epochs=3, keep_best=True, average_from=0.4))
    valid_losses(monkeypatch, [3.0, 1.0, 2.5])
    _, plain, _ = fit_and_watch(TrainConfig(epochs=3, keep_best=True))
    assert same(final, seen[1]) and not same(final, plain)


def test_the_best_epoch_survives_a_resume(monkeypatch, tmp_path):
    losses, config = [3.0, 1.0, 2.5, 2.0, 1.5], TrainConfig(epochs=5, patience=3)
    valid_losses(monkeypatch, losses)
    history, final, seen = fit_and_watch(config)
    assert len(history.records) == 5 and history.best.epoch == 2
    for stop in (1, 2, 3, 4):
        valid_losses(monkeypatch, losses)
        fit_and_watch(replace(config, epochs=stop), tmp_path / "c.pt")
        checkpoint = load_checkpoint(tmp_path / "c.pt")
        assert same(weights(checkpoint.build()), seen[min(stop, 2) - 1])  # the best one so far
        valid_losses(monkeypatch, losses[stop:])
        again, resumed, _ = fit_and_watch(config, tmp_path / "c.pt", checkpoint, seed=9)
        assert timeless(again) == timeless(history)
        assert same(resumed, final)
        assert same(weights(load_checkpoint(tmp_path / "c.pt").build()), final)


def test_a_run_that_has_stopped_stays_stopped(monkeypatch, tmp_path):
    config = TrainConfig(epochs=9, patience=1)
    valid_losses(monkeypatch, [1.0, 2.0])
    history, final, _ = fit_and_watch(config, tmp_path / "c.pt")
    checkpoint = load_checkpoint(tmp_path / "c.pt")
    again, resumed, seen = fit_and_watch(config, resume=checkpoint, seed=9)
    assert again.stopped_early and timeless(again) == timeless(history) and seen == []
    assert same(final, resumed)


def test_the_best_epoch_is_that_of_the_training_loss_without_validation():
    def record(epoch, train, valid):
        return EpochRecord(epoch, epoch, train, valid, 1, 1.0)

    assert History([record(1, 2.0, None), record(2, 1.0, None)]).best.epoch == 2
    assert History([record(1, 2.0, 3.0), record(2, 1.0, 4.0)]).best.epoch == 1
    nan = float("nan")
    assert History([record(1, 2.0, nan), record(2, 1.0, 4.0), record(3, 1.0, nan)]).best.epoch == 2
    with pytest.raises(ValueError, match="history is empty"):
        _ = History().best
    assert not History().has_run_out(1)


# --- averages


def test_the_average_is_that_of_the_last_steps(monkeypatch):
    after_step = []

    def watch(model, *args, **options):
        loss = train_step(model, *args, **options)
        after_step.append(weights(model))
        return loss

    monkeypatch.setattr(FIT, "train_step", watch)
    model = make_model()
    fit(model, loader(), config=TrainConfig(epochs=2, average_from=0.7), **QUIET)
    last = after_step[9:]  # 12 steps; those from 8.4 on
    assert len(after_step) == 12
    for name, weight in weights(model).items():
        mean = torch.stack([w[name] for w in last]).double().mean(0)
        torch.testing.assert_close(weight.double(), mean, atol=1e-6, rtol=0)  # float32 running mean
        assert not torch.equal(weight, after_step[-1][name]) or not weight.is_floating_point()


def test_averaging_does_not_change_the_steps_and_is_what_validation_sees():
    config = TrainConfig(epochs=3, average_from=0.5)
    _, final, seen = fit_and_watch(config)
    _, plain, steps = fit_and_watch(replace(config, average_from=None))
    assert same(seen[0], steps[0])  # before the average begins
    assert not same(seen[1], steps[1]) and same(seen[2], final) and not same(final, plain)
    model = make_model()
    history = fit(model, loader(), loader(5), config, **QUIET)
    assert history.records[-1].valid_loss == float(evaluate(model, loader(5)).mean)


# --- going on from a checkpoint


SCHEDULED = teacher_forced_loss(
    teacher_forcing=partial(schedules.linear, start=1.0, end=0.2, num_steps=8)
)


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("config", "loss_function"),
    [
        (TrainConfig(weight_decay=0.1, warmup_steps=4, cosine_decay=True), None),
        (TrainConfig(accumulate=2, label_smoothing=0.1), None),
        (TrainConfig(), SCHEDULED),
        (TrainConfig(average_from=0.3, keep_best=True), None),
    ],
    ids=["schedule", "accumulate", "scheduled sampling", "average"],
)
def test_a_resumed_run_equals_one_that_was_never_interrupted(tmp_path, stop, config, loss_function):
    path = tmp_path / "checkpoint.pt"
    # 6 batches an epoch, 2 epochs; every step leaves a checkpoint
    config = replace(config, epochs=2, checkpoint_every=1)
    options = {"loss_function": loss_function, **QUIET}
    whole = make_model(cell="lstm")
    torch.manual_seed(1)
    expected = fit(whole, loader(), loader(5), config, **options)

    class Stop(Exception):
        pass

    def stop_there(model, batch, step):
        if step == stop:
            raise Stop
        return (loss_function or teacher_forced_loss(config.label_smoothing))(model, batch, step)

    torch.manual_seed(1)
    part = make_model(cell="lstm")
    torch.manual_seed(1)
    with pytest.raises(Stop):
        fit(part, loader(), loader(5), replace(config, label_smoothing=0.0), checkpoint_path=path,
            loss_function=stop_there, progress=False)  # fmt: skip
    torch.manual_seed(99)  # another process, with other random numbers
    checkpoint = load_checkpoint(path)
    assert checkpoint.progress["step"] == stop
    rest = make_model(7, cell="lstm")
    found = fit(rest, loader(), loader(5), config, resume=checkpoint, **options)
    assert same(weights(whole), weights(rest))
    assert timeless(expected) == timeless(found)


def test_a_shuffling_loader_of_torch_resumes_between_epochs(tmp_path):
    def shuffled():
        return DataLoader(make_examples(11), 4, shuffle=True, collate_fn=collate)

    def run(epochs, resume=None):
        model = make_model(3)
        torch.manual_seed(1)
        fit(model, shuffled(), config=TrainConfig(epochs=epochs), resume=resume,
            checkpoint_path=tmp_path / "c.pt", **QUIET)  # fmt: skip
        return weights(model)

    whole = run(3)
    run(1)
    assert same(whole, run(3, load_checkpoint(tmp_path / "c.pt")))


def test_resuming_takes_the_new_settings(tmp_path):
    path = tmp_path / "c.pt"
    fit(make_model(), loader(), config=TrainConfig(epochs=1), checkpoint_path=path, **QUIET)
    history = fit(make_model(), loader(), resume=load_checkpoint(path), **QUIET,
                  config=TrainConfig(epochs=3, weight_decay=0.5))  # fmt: skip
    assert [r.epoch for r in history.records] == [1, 2, 3]
    plain = make_model()
    fit(plain, loader(), config=TrainConfig(epochs=3), resume=load_checkpoint(path), **QUIET)
    decayed = make_model()
    fit(decayed, loader(), resume=load_checkpoint(path), **QUIET,
        config=TrainConfig(epochs=3, weight_decay=0.5))  # fmt: skip
    assert not same(weights(plain), weights(decayed))


def test_vocabularies_are_kept_through_a_resume_and_must_be_the_same(tmp_path):
    path, words, others = tmp_path / "c.pt", Vocab(list("abcde")), Vocab(list("fghijkl"))
    vocabs = {"src_vocab": words, "tgt_vocab": others}
    config = TrainConfig(epochs=1)
    fit(make_model(), loader(), config=config, checkpoint_path=path, **vocabs, **QUIET)
    for given_again in ({}, vocabs):
        fit(make_model(), loader(), config=TrainConfig(epochs=2), checkpoint_path=path,
            resume=load_checkpoint(path), **given_again, **QUIET)  # fmt: skip
        assert load_checkpoint(path).src_vocab == words
        assert load_checkpoint(path).tgt_vocab == others
    with pytest.raises(CheckpointError, match="src_vocab is not that of the checkpoint"):
        fit(make_model(), loader(), resume=load_checkpoint(path), **QUIET,
            src_vocab=Vocab(["one", "two", "three", "four", "five"]))  # fmt: skip


def test_a_checkpoint_that_cannot_be_resumed_is_refused(tmp_path):
    path = tmp_path / "c.pt"
    save_checkpoint(path, make_model())
    with pytest.raises(CheckpointError, match="no training state"):
        fit(make_model(), loader(), resume=load_checkpoint(path), **QUIET)

    config = TrainConfig(epochs=1, checkpoint_every=4)
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), loader(), config=config, checkpoint_path=path, **QUIET,
            loss_function=interrupt_at(5))  # fmt: skip
    checkpoint = load_checkpoint(path)
    shape = "does not fit this Seq2Seq: .* has shape"
    for other, says in (
        (make_model(hidden_size=8), shape),
        (make_model(attention="none"), shape),
        (make_model().double(), r"run was in torch.float32.*call model.to\(torch.float32\)"),
    ):
        before = weights(other)
        with pytest.raises(CheckpointError, match=says):
            fit(other, loader(), resume=checkpoint, **QUIET)
        assert same(before, weights(other))
    with pytest.raises(CheckpointError, match="holds a Seq2Seq, not a Other"):

        class Other(Seq2Seq):
            pass

        fit(Other(make_model().config), loader(), resume=checkpoint, **QUIET)
    with pytest.raises(CheckpointError, match="4 of 6 batches .* gives 3"):
        fit(make_model(), loader(12), resume=checkpoint, **QUIET)
    with pytest.raises(CheckpointError, match="average_from must be set in both runs"):
        fit(
            make_model(), loader(), config=TrainConfig(average_from=0.5), resume=checkpoint, **QUIET
        )
    for name in ("last", "loss", "history", "step", "best"):
        progress = {k: v for k, v in checkpoint.progress.items() if k != name}
        with pytest.raises(CheckpointError, match="no training state|damaged"):
            fit(make_model(), loader(), resume=replace(checkpoint, progress=progress), **QUIET)
    for damaged in ({"optimizer": {}}, {"rng": {"torch": torch.zeros(3), "python": "[]"}}):
        with pytest.raises(CheckpointError, match="training state is damaged"):
            fit(make_model(), loader(), resume=replace(checkpoint, **damaged), **QUIET)


# --- interruptions


def interrupt_at(step_to_stop):
    def loss(model, batch, step):
        if step == step_to_stop:
            raise KeyboardInterrupt
        return teacher_forced_loss()(model, batch, step)

    return loss


@pytest.mark.parametrize("step", [0, 1, 3, 6, 7])
def test_an_interrupted_step_leaves_the_last_checkpoint_whole(tmp_path, step):
    path = tmp_path / "c.pt"
    config = TrainConfig(epochs=2, checkpoint_every=2)
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), loader(), config=config, checkpoint_path=path, **QUIET,
            loss_function=interrupt_at(step))  # fmt: skip
    if step < 2:
        assert list(tmp_path.iterdir()) == []
    else:
        assert list(tmp_path.iterdir()) == [path]
        assert load_checkpoint(path).progress["step"] == step // 2 * 2


def test_an_interrupted_validation_is_repeated(tmp_path, monkeypatch):
    path, config = tmp_path / "c.pt", TrainConfig(epochs=2, checkpoint_every=3)
    whole, part = make_model(), make_model()
    torch.manual_seed(1)
    expected = fit(whole, loader(), loader(5), config, **QUIET)

    def interrupt(*args, **options):
        raise KeyboardInterrupt

    torch.manual_seed(1)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(FIT, "evaluate", interrupt)
        fit(part, loader(), loader(5), config, checkpoint_path=path, **QUIET)
    found = fit(part, loader(), loader(5), config, resume=load_checkpoint(path), **QUIET)
    assert same(weights(whole), weights(part)) and timeless(expected) == timeless(found)


def test_an_interruption_after_an_epoch_loses_nothing(tmp_path):
    path = tmp_path / "c.pt"

    def interrupt(model, record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), loader(), config=TrainConfig(epochs=2), checkpoint_path=path, **QUIET,
            after_epoch=interrupt)  # fmt: skip
    assert load_checkpoint(path).progress["epoch"] == 1


def test_a_checkpoint_that_cannot_be_written_is_refused_before_training(tmp_path):
    steps = []

    def watch(model, batch, step):
        steps.append(step)
        return teacher_forced_loss()(model, batch, step)

    for path in (tmp_path / "missing" / "c.pt", tmp_path):
        with pytest.raises(CheckpointError):
            fit(make_model(), loader(), checkpoint_path=path, loss_function=watch, **QUIET)
    assert steps == []


def test_batches_are_moved_to_the_device(monkeypatch):
    moved = []
    to = Batch.to
    monkeypatch.setattr(
        Batch, "to", lambda self, device: (moved.append(device), to(self, device))[1]
    )
    fit(make_model(), loader(4), loader(4), TrainConfig(epochs=1), device="cpu", **QUIET)
    assert moved == ["cpu", "cpu"]


def test_the_bar_is_refreshed_some_twenty_times_an_epoch(monkeypatch):
    # every refresh is a few messages to a notebook; a cell that sends a thousand loses some
    pytest.importorskip("tqdm")  # an extra
    import tqdm.auto

    refreshed = []

    class Counting(tqdm.auto.tqdm):
        def __init__(self, *args, **options):
            super().__init__(*args, mininterval=0, **options)  # as on a slow machine

        def refresh(self, *args, **options):
            refreshed.append(self.n)

    monkeypatch.setattr(tqdm.auto, "tqdm", Counting)
    fit(make_model(), loader(400, 2), config=TrainConfig(epochs=1), progress=True)
    assert 10 <= len(refreshed) <= 25


def test_a_resumed_run_ends_with_what_its_own_config_says(monkeypatch, tmp_path):
    path = tmp_path / "model.pt"
    best, last = TrainConfig(epochs=2, keep_best=True), TrainConfig(epochs=4)
    valid_losses(monkeypatch, [1.0, 2.0])  # the first epoch is the best
    fit_and_watch(best, path)
    valid_losses(monkeypatch, [3.0, 4.0])
    _, final, seen = fit_and_watch(last, path, load_checkpoint(path))
    assert same(final, seen[-1]), "the last weights, and not the first epoch's"
    assert same(load_checkpoint(path).weights, seen[-1])
    with pytest.raises(CheckpointError, match="did not keep its best weights"):
        fit_and_watch(TrainConfig(epochs=6, patience=3), path, load_checkpoint(path))


def test_a_longer_run_begins_to_average_later(tmp_path):
    path, halves = tmp_path / "model.pt", TrainConfig(epochs=2, average_from=0.5)
    fit(make_model(), loader(), loader(shuffle=False), halves, checkpoint_path=path, progress=False)
    models = []
    for resume in (None, load_checkpoint(path)):
        models.append(make_model())
        config = TrainConfig(epochs=8, average_from=0.5)
        fit(models[-1], loader(), None, config, resume=resume, progress=False)
    assert same(*map(weights, models)), "nothing of the short run's average is left"


def test_an_infinite_loss_with_a_finite_gradient_stops_the_training():
    def impossible(model, batch, step):
        loss = teacher_forced_loss()(model, batch, step)
        return LossSum(loss.total + float("inf"), loss.tokens)

    model = make_model()
    untouched = weights(model)
    with pytest.raises(FloatingPointError, match="the loss inf"):
        fit(model, loader(), loss_function=impossible, progress=False)
    assert same(weights(model), untouched)


def test_a_loader_that_can_be_read_once_is_refused_when_it_is_empty():
    class Once:
        def __init__(self, batches):
            self.count, self.batches = len(batches), iter(batches)

        def __len__(self):
            return self.count

        def __iter__(self):
            return self.batches

    with pytest.raises(ValueError, match=r"length of 6 batches, but gave none in epoch 2"):
        fit(make_model(), Once(list(loader())), None, TrainConfig(epochs=2), progress=False)


def test_without_tqdm_there_is_no_bar_and_the_same_model(monkeypatch):
    """torch and numpy are all that the library requires."""
    found = []
    for missing in (False, True):
        if missing:
            monkeypatch.setitem(sys.modules, "tqdm.auto", None)
        model = make_model()
        fit(model, loader(), None, TrainConfig(epochs=1))
        found.append(model.state_dict())
    torch.testing.assert_close(*found, rtol=0, atol=0)
