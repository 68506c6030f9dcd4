"""What BLEU adds up, and the bootstrap: against sacreBLEU, a slow loop, and by property."""

import random

import pytest
import torch

from seq2seq_lib.metrics import bleu_from_scratch, bleu_of, bleu_statistics, bootstrap_interval

WORDS = "the a king sees small red cat near house".split()


def corpus(seed, n=12):
    rng = random.Random(seed)
    hyps = [rng.choices(WORDS, k=rng.randint(0, 11)) for _ in range(n)]
    refs = [[rng.choices(WORDS, k=rng.randint(1, 11))] for _ in range(n)]
    return hyps, refs


def test_a_row_holds_lengths_clipped_matches_and_ngrams():
    hypothesis = "the king sees the small cat near the the house".split()
    reference = "the king sees the small red cat near the house".split()
    (row,) = bleu_statistics([hypothesis], [[reference]]).tolist()
    assert row == [10, 10, 9, 7, 4, 2, 10, 9, 8, 7]
    assert bleu_of(row) == pytest.approx(100 * 0.1**0.25)


@pytest.mark.parametrize("smoothing", ["exp", "none"])
@pytest.mark.parametrize("seed", range(5))
def test_the_sums_of_rows_are_the_corpus(seed, smoothing):
    hyps, refs = corpus(seed)
    sums = bleu_statistics(hyps, refs).sum(0).tolist()
    assert bleu_of(sums, smoothing=smoothing) == pytest.approx(
        bleu_from_scratch(hyps, refs, smoothing=smoothing).score, abs=1e-9
    )


def test_the_interval_is_that_of_a_slow_loop():
    (hyps, refs), (others, _) = corpus(3), corpus(4)
    one, two = bleu_statistics(hyps, refs), bleu_statistics(others, refs)
    generator = torch.Generator().manual_seed(7)
    picks = torch.randint(len(hyps), (60, len(hyps)), generator=generator)
    scores = []
    for pick in picks:
        a, b = ([hs[i] for i in pick] for hs in (hyps, others))
        rs = [refs[i] for i in pick]
        scores.append([bleu_from_scratch(h, rs).score for h in (a, b)])
    scores = torch.tensor(scores, dtype=torch.float64)
    for found, expected in (
        (bootstrap_interval(one, resamples=60, seed=7), scores[:, 0]),
        (bootstrap_interval(one, two, resamples=60, seed=7), scores[:, 1] - scores[:, 0]),
    ):
        ends = expected.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        assert found == pytest.approx(ends, abs=1e-9)


def test_pairing_cancels_what_two_systems_share():
    _, refs = corpus(5, n=60)
    hyps = [ref[: 1 + 2 * i % 12] for i, (ref,) in enumerate(refs)]  # cut off here and there
    same = bleu_statistics(hyps, refs)
    assert bootstrap_interval(same, same) == (0, 0)
    low, high = bootstrap_interval(same)
    assert high - low > 1


def test_bad_arguments_are_refused():
    statistics = bleu_statistics(*corpus(1))
    with pytest.raises(ValueError, match="the same sentences"):
        bootstrap_interval(statistics, statistics[:-1])
    for wrong in ({"resamples": 0}, {"confidence": 1.0}):
        with pytest.raises(ValueError, match="resamples ≥ 1"):
            bootstrap_interval(statistics, **wrong)
    with pytest.raises(ValueError, match="2 \\+ 2 max_n"):
        bleu_of([1, 2, 3])
    with pytest.raises(ValueError, match="max_n must be"):
        bleu_statistics([["a"]], [[["a"]]], max_n=0)
