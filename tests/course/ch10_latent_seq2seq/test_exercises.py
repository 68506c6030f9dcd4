"""Chapter 10's exercises: their examples, the patient's log, tests that see more or less."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from seq2seq_lib.corpora.echo_task import ECHO_ENTROPY
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch10_latent_seq2seq import (
    ex4_cut_at_eos,
    ex5_kl_between,
    ex6_weighted_bound,
    ex7b_test_patient,
    ex8_cosine_cycle,
    given,
    patient,
)
from seq2seq_lib.course.ch10_latent_seq2seq.common import MU, VARIANCE
from seq2seq_lib.latent import importance_bound
from tests.support.answers import found, sparing

FUNCTIONS = ("10.1", "10.2", "10.4", "10.5", "10.6", "10.7c", "10.8")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    assert {e.id: e.points for e in exercises("10")} == {
        "10.1": 0,
        "10.2": 0,
        "10.3": 1,
        "10.4": 2,
        "10.5": 4,
        "10.6": 5,
        "10.7a": 2,
        "10.7b": 5,
        "10.7c": 3,
        "10.8": 4,
    }


@pytest.mark.parametrize("id", FUNCTIONS)
def test_probes_hold_axes_of_size_one_and_differ_at_each_call(id):
    draw = find(id).task.probes
    first, other = (draw(torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert [probe.fed for probe in first] != [probe.fed for probe in other]
    tensors = [arg for probe in first for arg in probe.args.values() if hasattr(arg, "shape")]
    axes = {axis for tensor in tensors for axis, n in enumerate(tensor.shape) if n == 1}
    assert id == "10.8" or {0, 1} <= axes


# ---------------------------------------------------------------- letters, examples


def test_one_letter_is_the_kl_and_the_others_have_their_reasons():
    deviation = torch.tensor(2.0)
    q = Normal(torch.tensor([1.0, 3.0]), deviation)
    right = kl_divergence(q, Normal(1.0, 2.0)).sum().item()
    numbers = {
        "correct": right,
        "standard": kl_divergence(q, Normal(0.0, 1.0)).sum().item(),
        "not_divided": 2.0**2 / 2,
        "half": 2 * right,
        "mean": right / 2,
    }
    letters = {"A": 6.61, "B": 2.00, "C": 1.00, "D": 0.50, "E": 0.25}
    for letter, number in letters.items():
        name = found("10.3", letter)[1].name or "correct"
        assert numbers[name] == pytest.approx(number, abs=0.006)


def test_kl_between_by_hand():
    args = [torch.tensor(MU), torch.tensor(VARIANCE).log()]
    args += [torch.tensor(ex5_kl_between.MU_P), torch.tensor(ex5_kl_between.VARIANCE_P).log()]
    kl = ex5_kl_between.kl_between(*args)
    torch.testing.assert_close(kl, torch.tensor([1.9091, 1.1931]), atol=5e-5, rtol=0)


def test_rows_are_cut_at_their_own_end():
    ids = torch.tensor([[7, 5, 2, 9, 2], [8, 2, 0, 0, 0], [4, 9, 6, 5, 4], [2, 7, 2, 0, 0]])
    assert ex4_cut_at_eos.cut_at_eos(ids, 2) == [[7, 5], [8], [4, 9, 6, 5, 4], []]


def test_the_bound_with_one_sample_is_the_elbo_of_it_and_more_samples_are_tighter():
    """The library's bound, built from a model, agrees with the exercise's from its parts."""
    model, batch = given.trained("free bits 3"), given.held_out(6)
    with torch.no_grad():
        mu, logvar = model.encode(batch.src, batch.src_lengths)
        generator, z = torch.Generator().manual_seed(0), []
        for _ in range(4):
            z.append(mu + torch.exp(logvar / 2) * model.prior(6, generator))
        nll = [
            torch.nn.functional.cross_entropy(
                model.decode(batch.tgt_in, each).mT, batch.tgt_out, reduction="none"
            ).sum(1)
            for each in z
        ]
    ours = ex6_weighted_bound.weighted_bound(-torch.stack(nll, 1), torch.stack(z, 1), mu, logvar)
    theirs = importance_bound(model, batch, 4, torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours, -theirs, atol=1e-4, rtol=1e-5)


def test_the_printed_schedule():
    values = [ex8_cosine_cycle.cosine_cycle(step, 12, 2, 0.5) for step in range(7)]
    assert values == pytest.approx([0, 0.25, 0.75, 1, 1, 1, 0])


def test_a_schedule_that_counts_its_calls_is_found_out():
    calls = iter(range(10**6))

    def counting(step, num_steps, num_cycles, ramp):
        return ex8_cosine_cycle.cosine_cycle(next(calls), num_steps, num_cycles, ramp)

    assert found("10.8", counting)[1].state == "wrong"


# ---------------------------------------------------------------- what learners write


def kl_of_deviation(mu, logvar):
    return 0.5 * (mu.pow(2) + logvar.exp().sqrt() - 1 - logvar).sum(-1)


def kl_with_log_sigma(mu, logvar):
    sigma = torch.exp(logvar / 2)
    return 0.5 * (mu**2 + sigma**2 - 1 - sigma.log()).sum(1)


def draw_by_randn(mu, logvar, noise):
    return mu + torch.exp(logvar / 2) * torch.randn(mu.shape)


def draw_by_sample(mu, logvar, noise):
    return Normal(mu, logvar.exp().sqrt()).sample()


def draw_by_rsample(mu, logvar, noise):
    return Normal(mu, logvar.exp().sqrt()).rsample()


def bound_without_prior(log_px, z, mu, logvar):
    log_q = Normal(mu[:, None], torch.exp(logvar / 2)[:, None]).log_prob(z).sum(-1)
    return torch.logsumexp(log_px - log_q, 1) - math.log(z.shape[1])


def bound_with_closed_kl(log_px, z, mu, logvar):
    kl = kl_divergence(Normal(mu, torch.exp(logvar / 2)), Normal(0.0, 1.0)).sum(1)
    return torch.logsumexp(log_px, 1) - math.log(z.shape[1]) - kl


def cosine_of_whole_steps(step, num_steps, num_cycles, ramp):
    if step >= num_steps:
        return 1.0
    length = num_steps // num_cycles
    return 0.5 * (1 - math.cos(math.pi * min((step % length) / length / ramp, 1)))


@pytest.mark.parametrize(
    ("id", "answer", "name"),
    [
        ("10.1", kl_of_deviation, "deviation_for_variance"),
        ("10.1", kl_with_log_sigma, "logarithm_halved"),
        ("10.2", draw_by_randn, "own_noise"),
        ("10.2", draw_by_sample, "own_noise"),
        ("10.2", draw_by_rsample, "own_noise"),
        ("10.6", bound_without_prior, "without_p"),
        ("10.6", bound_with_closed_kl, "closed_kl"),
        ("10.8", cosine_of_whole_steps, "whole_steps"),
    ],
)
def test_an_honest_mistake_is_named(id, answer, name):
    assert found(id, answer)[1].name == name


# ---------------------------------------------------------------- the clinic


def columns(log):
    return [line.split() for line in log.splitlines()[4:]]


def test_the_log_holds_one_impossible_number():
    first, *_, last = columns(patient.LOG)
    reconstruction, kl, reported = (float(number) for number in last[1:4])
    assert float(first[1]) == pytest.approx(8 * math.log(34), abs=1.0), "it begins at a guess"
    assert reported == pytest.approx(reconstruction + kl, abs=0.02)
    assert reported < ECHO_ENTROPY - 1
    assert found("10.7a", "C")[1].state == "correct"


def test_the_log_is_what_the_patient_does():
    begun = columns(patient.reproduce_log((0, 20)))
    (_, *numbers), kept = begun[0], columns(patient.LOG)[0]
    assert [float(n) for n in numbers[:3]] == pytest.approx([float(n) for n in kept[1:4]], abs=0.02)
    assert float(begun[1][1]) < float(numbers[0])


def rows_of(loss_function, mu, logvar):
    nll, mask = torch.zeros(len(mu), 1), torch.ones(len(mu), 1, dtype=torch.bool)
    return loss_function(nll, mask, mu, logvar)


def eight_dimensions(loss_function):
    mu = torch.ones(1, 8)
    assert abs(rows_of(loss_function, mu, 0 * mu) - 4) < 1e-4


def twice_the_code(loss_function):
    mu = torch.tensor([[1.0, 2.0], [0.5, 1.0]])
    once = rows_of(loss_function, mu, 0 * mu)
    twice = rows_of(loss_function, mu.repeat(1, 2), torch.zeros(2, 4))
    torch.testing.assert_close(twice, 2 * once)


@pytest.mark.parametrize(
    ("test", "earned"),
    [(eight_dimensions, 2), (twice_the_code, 2), (ex7b_test_patient.test_patient, 5)],
)
def test_tiers_separate_tests_that_see_more_from_those_that_see_less(test, earned):
    report, finding = found("10.7b", test)
    assert finding.earned == earned or finding.state == "correct", report.text
    assert (finding.state == "correct") == (earned == 5), report.text


@pytest.mark.parametrize("survivor", ex7b_test_patient.SUSPECTS)
def test_each_survivor_is_described(survivor):
    report, result = found("10.7b", sparing("10.7b", survivor))
    assert result.name == survivor and "7 of 8" in report.text


# ---------------------------------------------------------------- what the notebooks are given


def test_models_are_small_and_an_unknown_one_is_named():
    assert given.MODELS.stat().st_size < 300_000
    with pytest.raises(ValueError, match="Valid: 'constant', 'linear', 'free bits 3'"):
        given.trained("magic")
