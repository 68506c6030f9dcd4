"""BLEU against sacreBLEU and by hand; exact match, token accuracy and perplexity by definition."""

import logging
import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF

from seq2seq_lib.metrics import (
    bleu_from_scratch,
    brevity_penalty,
    chrf,
    closest_length,
    corpus_bleu,
    count_ngrams,
    exact_match,
    perplexity,
    token_accuracy,
)

CAT = "the cat sat on the mat"


def random_corpus(seed):
    """1-6 hypotheses of 0-9 words with 1-4 references each, some close to the hypothesis."""
    rng = random.Random(seed)
    words = "a b c d e".split()[: rng.randint(1, 5)]

    def sentence(shortest, longest):
        return [rng.choice(words) for _ in range(rng.randint(shortest, longest))]

    def near(tokens):
        tokens = list(tokens)
        for _ in range(rng.randint(0, 2)):
            position = rng.randint(0, len(tokens))
            tokens[position : position + rng.randint(0, 1)] = sentence(0, 2)
        return tokens

    hypotheses = [sentence(0, 9) for _ in range(rng.randint(1, 6))]
    number = rng.randint(1, 4)
    references = [
        [
            near(hypothesis) if rng.random() < 0.6 else sentence(0, 9)
            for _ in range(number if rng.random() < 0.7 else rng.randint(1, 4))
        ]
        for hypothesis in hypotheses
    ]
    return hypotheses, references


def joined(hypotheses, references):
    return [" ".join(h) for h in hypotheses], [[" ".join(r) for r in refs] for refs in references]


def padded_transpose(references):
    """sacreBLEU's layout by hand: column r holds the r-th reference of each sentence, or None."""
    most = max(len(refs) for refs in references)
    return [[refs[r] if r < len(refs) else None for refs in references] for r in range(most)]


# --- BLEU ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", ["exp", "none"])
@pytest.mark.parametrize("effective_order", [False, True])
def test_bleu_from_scratch_equals_sacrebleu_on_300_random_corpora(smoothing, effective_order):
    scores = []
    for seed in range(300):
        hypotheses, references = random_corpus(seed)
        max_n = (4, 4, 2, 5, 1)[seed % 5]
        ours = bleu_from_scratch(
            hypotheses,
            references,
            max_n=max_n,
            smoothing=smoothing,
            effective_order=effective_order,
        )
        metric = BLEU(
            tokenize="none",
            smooth_method=smoothing,
            effective_order=effective_order,
            max_ngram_order=max_n,
            force=True,
        )
        strings, string_refs = joined(hypotheses, references)
        theirs = metric.corpus_score(strings, padded_transpose(string_refs))
        assert ours.score == pytest.approx(theirs.score, abs=1e-9)
        assert ours.precisions == pytest.approx(theirs.precisions, abs=1e-9)
        assert ours.brevity_penalty == pytest.approx(theirs.bp, abs=1e-12)
        assert (ours.matches, ours.totals) == (tuple(theirs.counts), tuple(theirs.totals))
        assert (ours.hypothesis_length, ours.reference_length) == (theirs.sys_len, theirs.ref_len)
        scores.append(ours.score)
    assert sum(0 < score < 100 for score in scores) > 100  # the corpora are not all trivial
    assert min(scores) == 0
    assert max(scores) <= 100


def test_corpus_bleu_equals_bleu_from_scratch():
    for seed in range(300, 360):
        hypotheses, references = random_corpus(seed)
        ours = bleu_from_scratch(hypotheses, references)
        theirs = corpus_bleu(*joined(hypotheses, references), tokenize="none")
        assert ours.score == pytest.approx(theirs.score, abs=1e-9)
        assert ours.reference_length == theirs.reference_length
        head = "nrefs:{}|case:mixed|eff:no|tok:none|smooth:exp"
        numbers = {len(refs) for refs in references}
        nrefs = numbers.pop() if len(numbers) == 1 else "var"
        assert ours.signature == head.format(nrefs) + "|max_n:4|by:bleu_from_scratch"
        assert theirs.signature.startswith(head.format(nrefs) + "|version:")


def test_bleu_by_hand():
    score = bleu_from_scratch([CAT.split()], [["the cat is on the mat".split()]])
    # 1-grams 5/6, 2-grams 3/5, 3-grams 1/4; no 4-gram of three, which counts as half of one
    assert score.matches == (5, 3, 1, 0)
    assert score.totals == (6, 5, 4, 3)
    assert score.score == pytest.approx(100 * (5 / 6 * 3 / 5 * 1 / 4 * 0.5 / 3) ** 0.25, abs=1e-9)


def test_matches_are_clipped_by_the_richest_single_reference():
    refs = ["the cat the".split(), "the the dog".split()]
    score = bleu_from_scratch(["the the the the".split()], [refs], max_n=1)
    assert (score.matches, score.totals) == ((2,), (4,))  # not 3: the references do not add up


def test_brevity_uses_the_closest_reference_and_the_shorter_of_a_tie():
    hypothesis = ["a"] * 4
    for lengths, closest in (((2, 6), 2), ((6, 2), 2), ((9, 5), 5), ((3, 5, 4), 4), ((7,), 7)):
        score = bleu_from_scratch([hypothesis], [[["a"] * length for length in lengths]])
        assert score.reference_length == closest == closest_length(4, lengths)


def test_brevity_penalty_values():
    assert brevity_penalty(5, 5) == brevity_penalty(6, 5) == brevity_penalty(0, 0) == 1
    assert brevity_penalty(4, 5) == pytest.approx(math.exp(-0.25))
    assert brevity_penalty(0, 5) == 0
    for lengths in ((-1, 5), (5, -1)):
        with pytest.raises(ValueError, match="lengths must be ≥ 0"):
            brevity_penalty(*lengths)


def test_closest_length_needs_a_reference():
    with pytest.raises(ValueError, match="at least one length"):
        closest_length(3, [])


def test_count_ngrams():
    assert count_ngrams("a b a b".split(), 2) == {("a", "b"): 2, ("b", "a"): 1}
    assert count_ngrams(["a"], 2) == {}
    with pytest.raises(ValueError, match="n must be ≥ 1, but it is 0"):
        count_ngrams(["a"], 0)
    with pytest.raises(TypeError, match="string 'a b'"):
        count_ngrams("a b", 1)


def test_a_perfect_corpus_of_two_tokens_scores_zero_and_100_with_effective_order():
    hypotheses, references = ["hello there", "good day"], [["hello there"], ["good day"]]
    tokens = [h.split() for h in hypotheses]
    token_refs = [[refs[0].split()] for refs in references]
    assert corpus_bleu(hypotheses, references).score == 0
    assert bleu_from_scratch(tokens, token_refs).score == 0
    assert corpus_bleu(hypotheses, references, effective_order=True).score == 100
    assert bleu_from_scratch(tokens, token_refs, effective_order=True).score == 100
    assert bleu_from_scratch(tokens, token_refs, max_n=2).score == 100


def test_an_empty_hypothesis_scores_zero_and_is_no_crash():
    assert corpus_bleu([""], ["a b"]).score == 0
    assert corpus_bleu([""], [""], effective_order=True).score == 0
    for effective_order in (False, True):
        empty = bleu_from_scratch([[]], [[["a", "b"]]], effective_order=effective_order)
        assert (empty.score, empty.brevity_penalty, empty.totals) == (0, 0, (0, 0, 0, 0))


def test_corpus_bleu_is_not_the_mean_of_sentence_scores():
    hypotheses, references = [CAT, "no"], [CAT, "yes"]
    corpus = corpus_bleu(hypotheses, references).score
    sentences = [
        corpus_bleu([h], [r], effective_order=True).score
        for h, r in zip(hypotheses, references, strict=True)
    ]
    assert sentences == [100, 0]
    assert corpus > 90


@pytest.mark.parametrize("metric", [corpus_bleu, chrf])
def test_references_are_nested_per_hypothesis(metric):
    hypotheses = ["the cat sat down", "a dog ran away"]
    references = [["the cat sat down", "cats sat"], ["a dog ran away", "dogs ran"]]
    assert metric(hypotheses, references).score == 100
    transposed = [list(column) for column in zip(*references, strict=True)]
    assert metric(hypotheses, transposed).score < 100  # the layout that is silently wrong
    assert metric(hypotheses, tuple(map(tuple, references))).score == 100
    assert metric(hypotheses, hypotheses).score == 100
    assert "nrefs:1|" in metric(hypotheses, hypotheses).signature
    assert "nrefs:2|" in metric(hypotheses, references).signature
    assert "nrefs:var|" in metric(hypotheses, [references[0], ["dogs ran"]]).signature


def test_chrf_equals_sacrebleu():
    for seed in range(40):
        hypotheses, references = joined(*random_corpus(seed))
        for word_order in (0, 2):
            theirs = CHRF(word_order=word_order)
            expected = theirs.corpus_score(hypotheses, padded_transpose(references)).score
            ours = chrf(hypotheses, references, word_order=word_order)
            assert ours.score == pytest.approx(expected, abs=1e-9)
            assert ours.signature == str(theirs.get_signature())
    assert (
        chrf(["The Cat"], ["the cat"]).score < chrf(["The Cat"], ["the cat"], lowercase=True).score
    )


def test_corpus_bleu_passes_its_options_on():
    hypotheses, references = ["The cat sat on a mat."], ["the cat sat on the mat ."]
    scores = {
        corpus_bleu(hypotheses, references).score,
        corpus_bleu(hypotheses, references, lowercase=True).score,
        corpus_bleu(hypotheses, references, tokenize="none").score,
        corpus_bleu(hypotheses, references, tokenize="char").score,
        corpus_bleu(hypotheses, references, smoothing="add-k").score,
    }
    assert len(scores) == 5
    signature = corpus_bleu(
        hypotheses, references, lowercase=True, tokenize="char", smoothing="none"
    ).signature
    assert signature.startswith("nrefs:1|case:lc|eff:no|tok:char|smooth:none|version:")


def test_tokenised_text_is_reported_unless_no_tokeniser_was_asked_for(caplog):
    lines = ["a tokenised line ."] * 100
    with caplog.at_level(logging.WARNING, logger="sacrebleu"):
        logging.getLogger("sacrebleu").addHandler(caplog.handler)
        try:
            corpus_bleu(lines, lines, tokenize="none")
            assert caplog.records == []
            corpus_bleu(lines, lines)
            assert "forgot to detokenize" in caplog.text
        finally:
            logging.getLogger("sacrebleu").removeHandler(caplog.handler)


@pytest.mark.parametrize("metric", [corpus_bleu, chrf])
def test_bad_text_corpora_are_refused(metric):
    with pytest.raises(TypeError, match="hypotheses must be a list, but it is the string 'a b'"):
        metric("a b", ["a b"])
    with pytest.raises(TypeError, match="references must be a list, but it is the string 'abc'"):
        metric(["a", "b", "c"], "abc")
    with pytest.raises(ValueError, match=r"equally many, but they are 2 and 1.*transpose"):
        metric(["a", "b"], [["a", "b"]])
    with pytest.raises(ValueError, match="hypotheses are empty"):
        metric([], [])
    with pytest.raises(ValueError, match="hypothesis 1 has no reference"):
        metric(["a", "b"], [["a"], []])
    for bad in (["a", "b"], None, 3):
        with pytest.raises(TypeError, match="hypothesis 1 must be a string, but it is a "):
            metric(["a", bad], ["a", "b"])
        with pytest.raises(TypeError, match="reference 0 must be a string, but it is a "):
            metric(["a", "b"], [["a", bad], "b"])


def test_unknown_options_are_refused_with_the_choices():
    with pytest.raises(ValueError, match="Unknown tokenize: 'moses'. Valid: 'none'.*'13a'"):
        corpus_bleu(["a"], ["a"], tokenize="moses")
    with pytest.raises(ValueError, match="Unknown smoothing: 'best'. Valid: 'none', 'floor'"):
        corpus_bleu(["a"], ["a"], smoothing="best")
    with pytest.raises(ValueError, match="Unknown smoothing: 'floor'. Valid: 'exp', 'none'"):
        bleu_from_scratch([["a"]], [[["a"]]], smoothing="floor")
    with pytest.raises(ValueError, match="max_n must be ≥ 1, but it is 0"):
        bleu_from_scratch([["a"]], [[["a"]]], max_n=0)
    with pytest.raises(ValueError, match="word_order must be ≥ 0, but it is -1"):
        chrf(["a"], ["a"], word_order=-1)


def test_bad_token_corpora_are_refused():
    with pytest.raises(TypeError, match="hypothesis 0 must be a list of tokens"):
        bleu_from_scratch(["a b"], [[["a", "b"]]])
    with pytest.raises(TypeError, match="reference 0 must be a list of tokens"):
        bleu_from_scratch([["a", "b"]], [["a", "b"]])  # one nesting level too few
    with pytest.raises(TypeError, match="reference 0 must be a list of tokens.*corpus_bleu"):
        bleu_from_scratch([["a", "b"]], ["a b"])
    with pytest.raises(TypeError, match="hypotheses must be a list, but it is the string"):
        bleu_from_scratch("a", [[["a"]]])
    with pytest.raises(ValueError, match="equally many, but they are 1 and 2"):
        bleu_from_scratch([["a"]], [[["a"]], [["b"]]])
    with pytest.raises(ValueError, match="hypotheses are empty"):
        bleu_from_scratch([], [])
    with pytest.raises(ValueError, match="hypothesis 0 has no reference"):
        bleu_from_scratch([["a"]], [[]])


# --- exact match ---------------------------------------------------------------------------------


def test_exact_match_is_a_share_of_sentences():
    assert exact_match(["a b", "c", "d"], ["a b", "c ", "d"]) == pytest.approx(2 / 3)
    assert exact_match([[1, 2], [3], []], [(1, 2), (3, 3), ()]) == pytest.approx(2 / 3)
    assert exact_match([["a"]], [["a"]]) == 1.0
    assert exact_match([[1, 2, 0]], [[1, 2]]) == 0.0  # nothing is stripped


def test_bad_exact_match_inputs_are_refused():
    with pytest.raises(ValueError, match="equally many, but they are 1 and 2"):
        exact_match(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="predictions are empty"):
        exact_match([], [])
    for bad in ("ab", torch.zeros(2, 3)):
        with pytest.raises(TypeError, match="predictions must be a list of sequences"):
            exact_match(bad, ["a", "b"])
        with pytest.raises(TypeError, match="targets must be a list of sequences"):
            exact_match(["a", "b"], bad)
    for pair in (([torch.ones(2)], [[1, 1]]), ([[1, 1]], [torch.ones(2)])):
        with pytest.raises(TypeError, match="sentence 0 is a tensor"):
            exact_match(*pair)
    with pytest.raises(TypeError, match="sentence 1 compares a str with a list"):
        exact_match([["a"], "b"], [["a"], ["b"]])


# --- token accuracy ------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), B=st.integers(1, 4), T=st.integers(1, 6), V=st.integers(1, 5))
def test_token_accuracy_equals_the_loop_and_ignores_pads(seed, B, T, V):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(B, T, V, generator=generator)
    targets = torch.randint(0, V, (B, T), generator=generator)
    lengths = torch.randint(1, T + 1, (B,), generator=generator)
    mask = torch.arange(T)[None, :] < lengths[:, None]
    hits = tokens = 0
    for b in range(B):
        for t in range(int(lengths[b])):
            hits += int(logits[b, t].argmax()) == int(targets[b, t])
            tokens += 1
    assert token_accuracy(logits, targets, mask) == hits / tokens
    assert token_accuracy(logits.argmax(-1), targets, mask) == hits / tokens
    wider = torch.nn.functional.pad(logits, (0, 0, 0, 3), value=1e9)
    padded_targets = torch.nn.functional.pad(targets, (0, 3))
    padded_mask = torch.nn.functional.pad(mask, (0, 3), value=False)
    assert token_accuracy(wider, padded_targets, padded_mask) == hits / tokens


def test_bad_token_accuracy_inputs_are_refused():
    ids, mask = torch.ones(2, 3, dtype=torch.int64), torch.ones(2, 3, dtype=torch.bool)
    with pytest.raises(TypeError, match="mask must be a tensor of torch.bool"):
        token_accuracy(ids, ids, mask.float())
    with pytest.raises(TypeError, match="targets must be a tensor of torch.int64"):
        token_accuracy(ids, ids.int(), mask)
    with pytest.raises(TypeError, match="predictions must be a tensor"):
        token_accuracy(ids.tolist(), ids, mask)
    for bad in (ids.float(), ids.int(), ids[0], torch.ones(2, 3, 4, dtype=torch.int64)):
        with pytest.raises(TypeError, match=r"int64 ids \[B, T\] or float logits \[B, T, V\]"):
            token_accuracy(bad, ids, mask)
    for predictions, targets, bad_mask in (
        (ids[:, :1], ids, mask),
        (ids, ids[:1], mask),
        (ids, ids, mask[:, :1]),
        (torch.zeros(2, 2, 5), ids, mask),
    ):
        with pytest.raises(ValueError, match=r"must all be \[B, T\]"):
            token_accuracy(predictions, targets, bad_mask)
    with pytest.raises(ValueError, match="mask has no real token"):
        token_accuracy(ids, ids, ~mask)
    with pytest.raises(ValueError, match="contain NaN"):
        token_accuracy(torch.full((2, 3, 4), float("nan")), ids, mask)


# --- perplexity ----------------------------------------------------------------------------------


def test_perplexity_values():
    assert perplexity(7 * math.log(10), 7) == pytest.approx(10)
    assert perplexity(torch.tensor(7 * math.log(10)), torch.tensor(7)) == pytest.approx(10)
    assert perplexity(torch.tensor([[3.0]], requires_grad=True), 3.0) == pytest.approx(math.e)
    assert perplexity(0, 5) == 1.0
    assert perplexity(1e6, 1) == math.inf  # too large for a float
    assert perplexity(math.inf, 4) == math.inf
    assert isinstance(perplexity(torch.tensor(1.0), 2), float)


def test_bad_perplexity_inputs_are_refused():
    for nll in (-0.1, float("nan"), torch.tensor(-1.0)):
        with pytest.raises(ValueError, match="total_nll must be ≥ 0, but it is"):
            perplexity(nll, 3)
    for tokens in (0, -2, float("nan"), math.inf, torch.tensor(0)):
        with pytest.raises(ValueError, match="total_tokens must be > 0 and finite, but it is"):
            perplexity(1.0, tokens)
    for bad in (None, "1", True, torch.ones(2)):
        with pytest.raises(TypeError, match="total_nll must be a number or a tensor with one"):
            perplexity(bad, 3)
        with pytest.raises(TypeError, match="total_tokens must be a number or a tensor with one"):
            perplexity(1.0, bad)


def test_a_score_cannot_be_changed():
    for score in (corpus_bleu(["a b c d"], ["a b c d"]), chrf(["a"], ["a"])):
        with pytest.raises(AttributeError, match="cannot assign"):
            score.score = 100.0
