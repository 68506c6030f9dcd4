"""Chapter 5's exercises: what they are given, their probes, typical mistakes, the bug clinic."""

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch05_nll_vs_cross_entropy import (
    ex1_log_softmax,
    ex4_loss_gradient,
    ex6_add_chunk,
    ex8b_test_patient,
    ex8c_fixed_loss,
    given,
    patient,
)
from seq2seq_lib.course.ch05_nll_vs_cross_entropy import losses_of_rows as losses
from tests.support.answers import found, probes_of, sparing

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = ("5.1", "5.2", "5.4", "5.5", "5.6", "5.7", "5.8c", "5.9")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    points = {"5.1": 0, "5.2": 0, "5.3": 1, "5.4": 2, "5.5": 4, "5.6": 4, "5.7": 4}
    points |= {"5.8a": 2, "5.8b": 5, "5.8c": 3, "5.9": 6}
    assert {e.id: e.points for e in exercises("5")} == points
    assert [e.id for e in exercises("5") if e.manual] == ["5.9"]


# ---------------------------------------------------------------- what the notebooks are given


def test_the_batch_of_votes_is_the_one_of_the_text():
    logits, targets, mask = given.batch()
    assert F.cross_entropy(logits[mask], targets[mask]).item() == pytest.approx(
        7.9452 / 7, abs=1e-4
    )
    torch.testing.assert_close(given.row().softmax(-1), torch.tensor([0.05, 0.1, 0.15, 0.3, 0.4]))


def test_the_divisors_of_the_weighted_batch_all_give_other_numbers():
    x, kinds, weight = given.weighted_batch()
    total = -(weight * x[range(3), kinds])[:2].sum()
    kept = weight[kinds][:2].sum()
    numbers = [total / divisor for divisor in (kept, 2, 3, weight.sum(), 1)]
    assert len({round(number.item(), 4) for number in numbers}) == 5
    assert numbers[0].item() == pytest.approx(-0.75)


def test_training_losses_are_what_they_are_called():
    """On one batch of the task, against the four pipelines written down with torch's functions."""
    task = given.numbers_task(60, 10)
    model, batch = task.fresh_model(0), given.collate(task.train)
    with torch.no_grad():
        z, y = model(batch)[batch.tgt_mask], batch.tgt_out[batch.tgt_mask]
        due = {
            given.cross_entropy_loss: F.cross_entropy(z, y),
            given.softmax_first_loss: F.cross_entropy(z.softmax(-1), y),
            given.shares_to_nll_loss: F.nll_loss(z.softmax(-1), y),
            given.over_tokens_loss: F.nll_loss(z.log_softmax(0), y),
        }
        for loss, expected in due.items():
            torch.testing.assert_close(loss(model, batch, 0).mean, expected)


def test_training_is_repeatable_and_leaves_the_random_state_alone():
    task, before = given.numbers_task(60, 10), torch.get_rng_state()
    first, again, other = (task.fit(given.cross_entropy_loss, s, 1)[1] for s in (0, 0, 1))
    assert first == again != other
    assert torch.equal(before, torch.get_rng_state())


def options_of(exercise_id):
    """The lines "- A: ..." of the task in the released notebook."""
    source = (ROOT / "solutions/_src/ch05_nll_vs_cross_entropy.py").read_text(encoding="utf-8")
    task = source.split(f"## {exercise_id} ")[1].split("\n# %%")[0]
    return dict(re.findall(r"^# - ([A-F]): (.*)$", task, re.MULTILINE))


def test_one_letter_of_5_3_is_printed_and_the_others_are_other_numbers():
    z, y = torch.tensor([[2.0, 5, 1, 12]]).log(), torch.tensor([0])
    numbers = {
        "right_loss": F.cross_entropy(z, y),
        "correct": F.cross_entropy(z.softmax(-1), y),
        "first_loss": torch.tensor(4.0).log(),
        "floor": (torch.tensor(3.0) + torch.e).log() - 1,
        "share_negated": F.nll_loss(z.softmax(-1), y),
        "vote_negated": F.nll_loss(z, y),
    }
    options = options_of("5.3")
    assert len(options) == 6
    for letter, number in options.items():
        finding = found("5.3", letter)[1]
        due = numbers[finding.name or finding.state].item()
        assert float(number) == pytest.approx(due, abs=0.0006), letter


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("exercise_id", ["5.1", "5.2", "5.4", "5.5", "5.8c"])
@pytest.mark.parametrize("seed", range(4))
def test_probes_reach_the_edges_and_are_drawn_anew(exercise_id, seed):
    shapes = {tuple(probe.args["logits"].shape) for probe in probes_of(exercise_id, seed)}
    assert any(shape[-1] == 1 for shape in shapes), "a vocabulary of one word"
    assert any(shape[0] == 1 for shape in shapes), "one row"
    assert any(len(set(shape)) == 1 and shape[0] > 1 for shape in shapes), "a square"
    assert any(len(set(shape)) == len(shape) > 1 and min(shape) > 1 for shape in shapes)
    texts = [[str(probe.args) for probe in probes_of(exercise_id, s)] for s in (seed, 99)]
    assert texts[0][0] == texts[1][0], "the first one is fixed, so that its message can be tested"
    assert sum(one != two for one, two in zip(*texts, strict=True)) >= 2


def test_ignored_positions_hold_numbers_that_would_be_seen():
    for probe in probes_of("5.5"):
        ignored = probe.args["targets"] == -100
        if ignored.any():
            assert probe.args["logits"][ignored].abs().max() > 100
    assert (probes_of("5.5")[-1].args["targets"] == -100).all(), "the last one asks for nothing"


def test_some_fit_needs_each_end_of_the_candidates():
    chosen = []
    for probe in probes_of("5.7"):
        temperatures = probe.args["temperatures"]
        best = find("5.7").task.spec(**probe.args)
        chosen.append((best == min(temperatures), best == max(temperatures)))
    assert any(low and not high for low, high in chosen)
    assert any(high and not low for low, high in chosen)
    assert any(not low and not high for low, high in chosen)


# ---------------------------------------------------------------- typical mistakes


def half_detached(logits, targets):
    value = F.cross_entropy(logits, targets)
    return value * 0.5 + value.detach() * 0.5


def for_vectors_only(logits):
    shifted = logits - logits.max()
    return shifted - shifted.exp().sum().log()


def divided_by_at_least_1(logits, targets, weight):
    """The habit `count.clamp(min=1)`: right for counts, wrong where weights add up to less."""
    kept = targets != -100
    used = weight[targets[kept]]
    nll = F.cross_entropy(logits[kept], targets[kept], reduction="none")
    return (used * nll).sum() / used.sum().clamp(min=1)


def ignored_weights_below(logits, targets, weight):
    kept = targets != -100
    used = weight[targets.clamp(min=0)]
    nll = F.cross_entropy(logits[kept], targets[kept], reduction="none")
    return (used[kept] * nll).sum() / used.sum()


def summed_over_all(logits):
    return (logits - logits.amax(-1, keepdim=True)).exp().sum()


def in_units_of_the_old(largest, total, chunk):
    more = (chunk - largest[:, None]).exp().sum(-1)
    return torch.maximum(largest, chunk.amax(-1)), total + more


def temperature_forgotten(logits, targets, temperature):
    return ex4_loss_gradient.loss_gradient(logits, targets, 1.0)


def with_a_gradient(logits, targets, temperature):
    leaf = logits.requires_grad_()
    return torch.autograd.grad(F.cross_entropy(leaf / temperature, targets), leaf)[0].exp()


def parts(**values):
    return lambda *_: values


MISTAKES = [
    ("5.7", "not_among", lambda z, y, ts: 1.234),
    ("5.1", "value", for_vectors_only),
    ("5.1", "raised", lambda z: z - z.logsumexp()),
    ("5.1", "shape", lambda z: z.log_softmax(-1).sum(-1)),
    ("5.1", "not_a_tensor", lambda z: z.log_softmax(-1).tolist()),
    ("5.1", "not_finite", lambda z: z.exp().log_softmax(-1)),
    ("5.1", "value", lambda z: z.log_softmax(-1) / torch.tensor(2.0).log()),
    ("5.1", "value", lambda z: z.log_softmax(-1) / torch.tensor(10.0).log()),
    ("5.1", "law", lambda z: z.log_softmax(-1).detach()),
    ("5.1", "one_sum", lambda z: z - z.amax(-1, keepdim=True) - summed_over_all(z).log()),
    ("5.1", "clamped", lambda z: z.clamp(-50, 50).log_softmax(-1)),
    ("5.2", "value", lambda z, t: (z - t).softmax(-1) ** 2),
    ("5.2", "shape", lambda z, t: (z / t).softmax(-1).max(-1).values),
    ("5.2", "not_finite", lambda z, t: (z / t).exp() / (z / t).exp().sum(-1, keepdim=True)),
    ("5.2", "value", lambda z, t: F.one_hot(z.argmax(-1), z.size(-1)).float()),
    ("5.3", "not_a_choice", "G"),
    ("5.3", "not_a_choice", 1.561),
    ("5.4", "value", with_a_gradient),
    ("5.4", "raised", lambda z, y, t: z.softmax(-1) - y),
    ("5.4", "shape", lambda z, y, t: ex4_loss_gradient.loss_gradient(z, y, t).sum(0)),
    ("5.4", "temperature_unused", temperature_forgotten),
    ("5.5", "divisor_at_least_1", divided_by_at_least_1),
    ("5.5", "ignored_weights_below", ignored_weights_below),
    ("5.5", "not_reduced", lambda z, y, w: F.cross_entropy(z.mT, y, weight=w, reduction="none")),
    ("5.5", "raised", lambda z, y, w: F.cross_entropy(z, y, weight=w, ignore_index="-100")),
    ("5.5", "raised", lambda z, y, w: w[y].mean()),
    ("5.6", "old_unit", in_units_of_the_old),
    ("5.6", "not_a_pair", lambda m, s, z: m),
    ("5.6", "not_a_pair", lambda m, s, z: torch.logsumexp(z, -1)),
    ("5.6", "shape", lambda m, s, z: (m.max(), s.sum())),
    ("5.6", "raised", lambda m, s, z: (torch.maximum(m, z), s)),
    ("5.6", "value", lambda m, s, z: (m.maximum(z.amax(-1)), s * 0)),
    ("5.7", "not_a_number", lambda z, y, ts: torch.tensor(ts[0])),
    ("5.7", "accuracy", lambda z, y, ts: ts[0]),
    ("5.7", "value", lambda z, y, ts: sorted(ts)[len(ts) // 2]),
    ("5.7", "raised", lambda z, y, ts: ts[F.cross_entropy(z / ts, y)]),
    ("5.8a", "not_a_choice", "F"),
    ("5.8c", "gradient", half_detached),
    ("5.8c", "value", lambda z, y: F.cross_entropy(z, y) / torch.tensor(2.0).log()),
    ("5.8c", "raised", lambda z, y: F.nll_loss(y, z)),
    ("5.9", "not_a_dict", lambda *args: [0.5, 0.5, 0.5]),
    ("5.9", "keys", parts(nll=1.0, loss=2.0)),
    ("5.9", "not_numbers", parts(nll=torch.tensor(1.0), loss=2.0, floor=0.5)),
    ("5.9", "not_numbers", parts(nll=True, loss=2.0, floor=0.5)),
    ("5.9", "value", parts(nll=1.0, loss=2.0, floor=0.5)),
]


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    named = "shape" if finding == "not_reduced" else finding
    state = "error" if finding == "raised" else "wrong"
    assert (result.name, result.state) == (named, state), report.text
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("exercise_id", [*FUNCTIONS, "5.8b"])
def test_every_message_is_given_by_some_wrong_answer(exercise_id):
    told = {mutant.finding for mutant in find(exercise_id).mutants}
    told |= {finding for other, finding, _ in MISTAKES if other == exercise_id}
    if exercise_id == "5.8b":
        told = set(ex8b_test_patient.SUSPECTS) | {finding for _, finding, *_ in WRONG_TESTS}
    own = set(find(exercise_id).words.findings)
    assert own <= told, own - told


def test_chunks_in_any_order_give_the_log_sum_exp_of_all():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 11, generator=generator) * 300
    for order in (range(11), reversed(range(11))):
        state = torch.full((3,), -torch.inf), torch.zeros(3)
        for column in torch.stack([logits[:, i] for i in order], 1).split(4, dim=1):
            state = ex6_add_chunk.add_chunk(*state, column)
        torch.testing.assert_close(state[0] + state[1].log(), logits.logsumexp(-1))


def test_the_message_shows_what_was_fed():
    mutants = {mutant.finding: mutant.function for mutant in ex1_log_softmax.MUTANTS}
    text = found("5.1", mutants["log_of_softmax"])[0].text
    assert "-110" in text and "inf" in text


# ---------------------------------------------------------------- the clinic


def test_the_log_is_what_the_bug_really_produces():
    assert patient.reproduce_log() == patient.training_log()


def numbers_of(log):
    return [float(line.split()[1]) for line in log.splitlines()[4:]]


def test_only_one_suspect_of_the_evidence_begins_and_ends_like_the_log():
    first, *_, last = numbers_of(patient.LOG)
    assert first == pytest.approx(-1 / patient.VOCAB_SIZE, abs=5e-4) and -10 / 13 < last < -0.76

    def bonus(z, y):
        entropy = torch.special.entr(z.softmax(-1)).sum(-1).mean()
        return F.cross_entropy(z, y) - entropy

    others = [losses.logits_to_nll, losses.turned_round, bonus, losses.over_tokens]
    for loss in others:
        begins = numbers_of(patient.reproduce_log(loss))[0]
        assert abs(begins - first) > 0.1
    assert found("5.8a", "C")[1].state == "correct"
    assert list(options_of("5.8a")) == list("ABCDE")


def test_innocents_agree_and_suspects_do_not():
    generator = torch.Generator().manual_seed(0)
    z, y = torch.randn(4, 6, generator=generator) * 2, torch.tensor([0, 5, 2, 3])
    due = F.cross_entropy(z, y)
    task = ex8b_test_patient.TASK
    for loss in (*task.innocent, *task.also_right.values()):
        torch.testing.assert_close(loss(z, y), due)
    wrong = [float(loss(z, y)) for name, loss in ex8b_test_patient.SUSPECTS.items()]
    different = {round(number, 3) for number in (*wrong, float(due))}
    assert len(different) == 6, "only log(softmax) is right while no share is 0"
    far = torch.tensor([[0.0, 200.0]])
    assert losses.log_of_softmax(far, torch.tensor([0])).isinf()


def accepts_everything(loss):
    assert loss(torch.zeros(2, 3), torch.tensor([0, 1])) is not None


def never_negative(loss):
    assert loss(torch.zeros(2, 3), torch.tensor([0, 1])) > 0


def log_v(loss):
    torch.testing.assert_close(
        loss(torch.zeros(3, 5), torch.tensor([0, 1, 4])), torch.tensor(5.0).log()
    )


def log_v_of_a_square(loss):
    torch.testing.assert_close(
        loss(torch.zeros(3, 3), torch.tensor([0, 1, 2])), torch.tensor(3.0).log()
    )


def perfect_is_free(loss):
    found = loss(100 * torch.eye(3, 4), torch.tensor([0, 1, 2]))
    torch.testing.assert_close(found, torch.tensor(0.0), atol=1e-4, rtol=0)


def exactly_equal(loss):
    generator = torch.Generator().manual_seed(1)
    z, y = torch.randn(5, 7, generator=generator), torch.arange(5)
    assert loss(z, y) == F.cross_entropy(z, y)


def returns_a_bool(loss):
    return bool(loss(torch.zeros(2, 3), torch.tensor([0, 1])) > 0)


def crashes(loss):
    loss(torch.zeros(3), torch.zeros(2))


def against_torch(loss):
    generator = torch.Generator().manual_seed(1)
    z, y = torch.randn(5, 7, generator=generator), torch.arange(5)
    torch.testing.assert_close(loss(z, y), F.cross_entropy(z, y))


WRONG_TESTS = [  # the finding, points
    (accepts_everything, "nothing_rejected", 0),
    (exactly_equal, "last_digits", 0),
    (returns_a_bool, "test_returns", 0),
    (crashes, "raised", 0),
    (never_negative, "shares_to_cross_entropy", 2),
    (log_v_of_a_square, "shares_to_cross_entropy", 2),
    (log_v, "shares_to_cross_entropy", 2),
    (perfect_is_free, "turned_round", 2),
    (against_torch, "log_of_softmax", 4),
]


@pytest.mark.parametrize(("test", "finding", "earned"), WRONG_TESTS)
def test_weak_tests_earn_a_part_and_hear_what_they_miss(test, finding, earned):
    report, result = found("5.8b", test)
    assert (result.name, result.earned) == (finding, earned), report.text


@pytest.mark.parametrize("survivor", ex8b_test_patient.SUSPECTS)
def test_each_survivor_is_described(survivor):
    report, result = found("5.8b", sparing("5.8b", survivor))
    assert result.name == survivor and "5 of 6" in report.text


def test_the_epilogue_names_the_real_threads():
    text = found("5.8c", ex8c_fixed_loss.fixed_loss)[0].text
    assert "pytorch/pytorch/pull/12703" in text
    assert "Text-Classification-Models-Pytorch/issues/9" in text
