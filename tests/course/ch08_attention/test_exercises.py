"""Chapter 8's exercises: points, probes, typical mistakes, the bug clinic."""

import pytest
import torch

from seq2seq_lib.attention import AdditiveAttention
from seq2seq_lib.course import exercises
from seq2seq_lib.course.ch08_attention import (
    ex4_causal_and_padding,
    ex5_additive_scores,
    ex7_cached_step,
    ex8b_test_patient,
    ex8c_fixed_attention,
    patient,
)
from seq2seq_lib.course.ch08_attention.ex1_attend import attend
from seq2seq_lib.course.ch08_attention.given import three_other_scores
from seq2seq_lib.masks import masked_softmax
from tests.support.answers import found, probes_of


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    assert {e.id: e.points for e in exercises("8")} == {
        "8.1": 0,
        "8.2": 0,
        "8.3": 1,
        "8.4": 3,
        "8.5": 4,
        "8.6": 4,
        "8.7": 5,
        "8.8a": 2,
        "8.8b": 5,
        "8.8c": 3,
        "8.9": 6,
    }


def test_one_letter_is_the_softmax_over_the_real_scores():
    scores, options = three_other_scores()
    real = torch.tensor([True, True, True, False])
    (right,) = [letter for letter in options if found("8.3", letter)[1].state == "correct"]
    weights = masked_softmax(scores, real)
    assert options[right] == [round(w, 2) for w in weights.tolist()]
    assert len({tuple(row) for row in options.values()}) == 6


# ---------------------------------------------------------------- references against the library


def test_the_additive_score_is_the_library_s():
    torch.manual_seed(0)
    attention = AdditiveAttention(3, 4, 5).requires_grad_(False)
    query, keys = torch.randn(2, 6, 3), attention.precompute(torch.randn(2, 7, 4))
    ours = ex5_additive_scores.additive_scores(
        query, keys, attention.query.weight, attention.energy.weight[0]
    )
    torch.testing.assert_close(ours, attention.score(query, keys))


def test_cached_steps_are_one_causal_pass():
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(3, 5, 4, generator=generator) for _ in range(3))
    mask = ex4_causal_and_padding.causal_and_padding(torch.full((3,), 5), 5)
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    cache = None
    for t in range(5):
        output, cache = ex7_cached_step.cached_step(q[:, t], k[:, t], v[:, t], cache)
        torch.testing.assert_close(output, expected[:, t])


def test_padding_does_not_matter_to_real_queries_under_a_causal_mask():
    lengths = torch.tensor([4, 2, 1])
    both = ex4_causal_and_padding.causal_and_padding(lengths, 4)
    causal = torch.ones(4, 4, dtype=torch.bool).tril()
    for row, length in zip(both, lengths, strict=True):
        assert torch.equal(row[:length], causal[:length])
    assert both[1].sum(-1).tolist() == [1, 2, 2, 2]


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("exercise_id", ["8.1", "8.4", "8.5", "8.6", "8.8c"])
@pytest.mark.parametrize("seed", range(3))
def test_probes_reach_the_edges(exercise_id, seed):
    shapes = set()
    for probe in probes_of(exercise_id, seed):
        args = probe.args
        batch = next(value for value in args.values() if torch.is_tensor(value))
        wide = next((args[name].size(1) for name in ("k", "keys", "memory") if name in args), None)
        shapes.add((len(batch), wide or args.get("S") or args["T"]))
    assert {(1, 1), (2, 1)} <= shapes, "one cell, one position"
    assert any(B == 1 and S > 1 for B, S in shapes), "one sentence"
    assert any(B == S > 1 for B, S in shapes) and any(B > 4 for B, S in shapes)


@pytest.mark.parametrize(
    ("exercise_id", "answer", "name"),
    [
        ("8.1", lambda q, k, v, mask: q, "not_a_pair"),
        ("8.1", lambda q, k, v, mask: (q @ k.mT).sum(), "not_a_pair"),
        ("8.1", lambda q, k, v, mask: (attend(q, k, v, mask)[0], None), "no_tensor"),
        ("8.7", lambda q, k, v, cache: v, "not_a_pair"),
        ("8.7", lambda q, k, v, cache: (None, (k, v)), "no_tensor"),
        ("8.9", lambda write, own, donor: [0] * len(own), "not_lists"),
        ("8.4", lambda lengths, T: torch.ones(len(lengths), T, T), "not_bool"),
        ("8.6", lambda n, T, S, D: torch.ones(T, S, dtype=torch.bool), "shape"),
        ("8.5", lambda q, keys, W, v: torch.zeros(1), "shape"),
    ],
)
def test_a_wrong_form_is_told_before_the_numbers(exercise_id, answer, name):
    assert found(exercise_id, answer)[1].name == name


def summed_over_the_query_s_axis(q, k, v, cache):
    keys, values = k[:, None], v[:, None]
    if cache is not None:
        keys, values = (torch.cat(pair, 1) for pair in zip(cache, (keys, values), strict=True))
    weights = (q[:, None] @ keys.mT / q.size(-1) ** 0.5).softmax(1)
    return (weights @ values)[:, 0], (keys, values)


def up_to_and_with_the_length(lengths, T):
    positions = torch.arange(T)
    causal = positions[None] <= positions[:, None]
    return causal & (positions[None] <= lengths[:, None])[:, None]


def scaled_attention(query, memory, lengths):
    scaled = query / query.size(-1) ** 0.5
    return ex8c_fixed_attention.fixed_attention(scaled, memory, lengths)


def masked_exponentials(query, memory, lengths):
    scores = (memory @ query[:, :, None])[..., 0]
    weights = scores.exp() * (torch.arange(memory.size(1)) < lengths[:, None])
    return ((weights / weights.sum(1, keepdim=True))[..., None] * memory).sum(1)


@pytest.mark.parametrize(
    ("exercise_id", "answer", "name"),
    [
        ("8.4", up_to_and_with_the_length, "one_pad"),
        ("8.7", summed_over_the_query_s_axis, "over_the_query"),
        ("8.8c", scaled_attention, "scaled"),
        ("8.8c", masked_exponentials, "renormalised"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_learner_s_own_way_of_a_mistake_is_named(exercise_id, answer, name, seed):
    assert found(exercise_id, answer, seed)[1].name == name


# ---------------------------------------------------------------- the bug clinic


def numbers(log):
    return [[float(word) for word in line.split()[-4:]] for line in log.splitlines()[3:]]


def test_the_log_is_what_the_bug_writes_and_a_repair_leaves_our_column_still():
    kept = torch.tensor(numbers(patient.decoding_log()))
    again = torch.tensor(numbers(patient.reproduce_log()))
    torch.testing.assert_close(again, kept, rtol=0, atol=2e-3)  # three decimals are printed
    assert (kept[1:, 2] < kept[:-1, 2] - 0.005).all(), "each longer neighbour costs more"
    healed = torch.tensor(numbers(patient.reproduce_log(ex8c_fixed_attention.fixed_attention)))
    assert (healed[:, 2] - healed[0, 2]).abs().max() < 2e-3
    torch.testing.assert_close(healed[:, [0, 1, 3]], kept[:, [0, 1, 3]], rtol=0, atol=2e-3)


def test_every_suspect_differs_from_a_right_attention_on_the_model_test():
    for suspect in ex8b_test_patient.SUSPECTS.values():
        with pytest.raises(AssertionError):
            ex8b_test_patient.test_patient(suspect)
    for innocent in ex8b_test_patient.INNOCENT:
        ex8b_test_patient.test_patient(innocent)


def test_a_test_that_compares_with_equality_is_told_so():
    """Scores of 0 and halves: the innocents agree to the last bit, but for one that is nudged."""

    def exact(attend):
        memory = torch.tensor([[[2.0, 4.0], [9.0, 9.0]], [[1.0, 3.0], [5.0, 1.0]]])
        context = attend(torch.zeros(2, 2), memory, torch.tensor([1, 2]))
        assert torch.equal(context, torch.tensor([[2.0, 4.0], [3.0, 2.0]]))

    assert found("8.8b", exact)[1].name == "last_digits"
