"""Chapter 4's exercises: what they are given, their probes, typical mistakes, the bug clinic."""

import inspect
import re
from collections import Counter, defaultdict

import pytest
import torch
import torch.nn.functional as F

from seq2seq_lib import laws
from seq2seq_lib.course import ch04_padding_masks as chapter04
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch04_padding_masks import (
    ex1_length_mask,
    ex2_token_mean,
    ex5a_prompt_labels,
    ex8b_test_patient,
    ex8c_fixed_loss,
    patient,
)
from seq2seq_lib.losses import masked_nll_loss
from seq2seq_lib.masks import masked_softmax, sequence_mask
from tests.support.answers import found, probes_of, sparing, text_of

LOSSES = ("4.2", "4.5b", "4.8c")  # they `use` losses.toml
FUNCTIONS = ("4.1", "4.2", "4.4", "4.5a", "4.5b", "4.6", "4.7", "4.8c", "4.9")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    assert {e.id: e.points for e in exercises("4")} == {
        "4.1": 0,
        "4.2": 0,
        "4.3": 1,
        "4.4": 2,
        "4.5a": 3,
        "4.5b": 4,
        "4.6": 4,
        "4.7": 4,
        "4.8a": 2,
        "4.8b": 5,
        "4.8c": 3,
        "4.9": 6,
    }
    assert [e.id for e in exercises("4") if e.manual] == ["4.9"]


# ---------------------------------------------------------------- what the notebooks are given


def test_logits_give_the_losses_that_one_wants():
    nll = torch.tensor([[0.1, 2.0, 8.0], [5.0, 1.0, 0.01]])
    targets = torch.tensor([[3, 0, 1], [2, 2, 0]])
    logits = chapter04.logits_with(nll, targets, 5)
    torch.testing.assert_close(F.cross_entropy(logits.mT, targets, reduction="none"), nll)
    torch.testing.assert_close(logits.logsumexp(-1), torch.zeros(2, 3), atol=1e-6, rtol=0)


def test_one_letter_is_the_mean_over_answers_and_the_others_have_other_reasons():
    losses, prompts, lengths = (thing.tolist() for thing in chapter04.chat_batch())
    rows = list(zip(losses, prompts, lengths, strict=True))
    answers = [row[start:end] for row, start, end in rows]
    real = [row[:end] for row, _, end in rows]
    total, tokens = sum(map(sum, answers)), sum(map(len, answers))
    numbers = {
        "correct": total / tokens,
        "row_means": sum(sum(answer) / len(answer) for answer in answers) / 3,
        "with_prompt": sum(map(sum, real)) / sum(map(len, real)),
        "over_real": total / sum(map(len, real)),
        "over_cells": total / 18,
        "with_pads": sum(map(sum, losses)) / 18,
    }
    options = chapter04.chat_options()
    assert len(set(options.values())) == 6
    for letter, number in options.items():
        finding = found("4.3", letter)[1]
        reason = finding.name or finding.state
        assert number == pytest.approx(numbers[reason], abs=0.005), letter


# ---------------------------------------------------------------- probes


def batch_of(args):
    """B and T of a probe's first table, or of the mask that is asked for."""
    if "max_len" in args:
        return len(args["lengths"]), args["max_len"]
    return tuple(next(v for v in args.values() if torch.is_tensor(v) and v.dim() >= 2).shape[:2])


@pytest.mark.parametrize("exercise_id", [id for id in FUNCTIONS if id not in ("4.6", "4.9")])
def test_probes_are_asymmetric_and_reach_the_edges(exercise_id):
    least = 2 if exercise_id in ("4.5a", "4.5b") else 1  # a prompt and an answer
    for seed in range(10):
        shapes = {batch_of(probe.args) for probe in probes_of(exercise_id, seed)}
        assert (1, least) in shapes and (3, least) in shapes, "one cell, one position"
        assert any(B == 1 and T > least for B, T in shapes), "one sentence"
        assert any(B == T > 1 for B, T in shapes) and any(B > 3 for B, T in shapes)


def lengths_of(exercise_id, seed):
    return [probe.args["lengths"].tolist() for probe in probes_of(exercise_id, seed)]


@pytest.mark.parametrize("exercise_id", ["4.1", "4.4", "4.5a", "4.7", "4.8c"])
def test_lengths_are_unsorted_and_drawn_anew_but_for_the_first_two(exercise_id):
    one, two = lengths_of(exercise_id, 1), lengths_of(exercise_id, 2)
    assert one[:2] == two[:2] and one[2:5] != two[2:5]
    assert sum(x not in (sorted(x), sorted(x, reverse=True)) for x in one) >= 3
    assert (0 in sum(one, [])) == (exercise_id == "4.7"), "only attention may see nothing"


def test_no_id_says_that_a_token_is_a_pad():
    """At real positions there are zeros, at pads other ids: -100 is never in ids or targets."""
    for exercise_id, name in (("4.4", "ids"), ("4.5a", "ids"), ("4.8c", "targets")):
        zero_is_real = word_at_pad = False
        for probe in probes_of(exercise_id):
            ids = probe.args[name]
            mask = sequence_mask(probe.args["lengths"], ids.size(1))
            zero_is_real |= bool((ids[mask] == 0).any())
            word_at_pad |= bool((ids[~mask] > 0).any())
            assert ids.min() >= 0
        assert zero_is_real and word_at_pad, exercise_id


# ---------------------------------------------------------------- typical mistakes


def half_detached(log_probs, targets, lengths):
    value = ex8c_fixed_loss.by_select(log_probs, targets, lengths)
    return value * 0.5 + value.detach() * 0.5


def only_for_small_gaps(log_probs, targets, lengths):
    """Right on every probe, but not where law 3 looks: a gap of 300 nats."""
    return ex8c_fixed_loss.by_select(log_probs.clamp(min=-290.0), targets, lengths)


def one_more_than_real(nll, mask):
    return (nll.masked_fill(~mask, 0).sum() + nll.max()) / mask.sum()


def shares(**values):
    return lambda *_: values


MISTAKES = [
    ("4.1", "not_a_function", torch.ones(3, 4, dtype=torch.bool)),
    ("4.1", "shape", lambda lengths, T: torch.arange(T) < lengths.max()),
    ("4.1", "shape", lambda lengths, T: sequence_mask(lengths, T)[None]),
    ("4.1", "value", lambda lengths, T: torch.ones(len(lengths), T, dtype=torch.bool)),
    ("4.1", "raised", lambda lengths, T: torch.arange(T) < lengths),
    ("4.2", "pad_counted", one_more_than_real),
    ("4.2", "shape", lambda nll, mask: nll[mask].mean()[None]),
    ("4.2", "not_finite", lambda nll, mask: nll[mask].mean() / 0),
    ("4.3", "not_a_choice", "G"),
    ("4.3", "not_a_choice", 3.0),
    ("4.4", "raised", lambda ids, lengths: ids[lengths]),
    ("4.5b", "raised", lambda logits, labels: F.cross_entropy(logits[:, :-1], labels)),
    ("4.6", "shape", lambda segments: segments != 0),
    ("4.6", "table", lambda segments: torch.zeros(*segments.shape, len(segments[0])).bool()),
    ("4.8c", "gradient", half_detached),
    ("4.8c", "law", only_for_small_gaps),
    ("4.9", "not_a_dict", lambda *args: [0.5, 0.5, 0.5]),
    ("4.9", "keys", shares(token=0.5, sentence=0.3)),
    ("4.9", "not_numbers", shares(token=torch.tensor(0.5), sentence=0.3, accumulated=0.5)),
    ("4.9", "not_numbers", shares(token=True, sentence=0.3, accumulated=0.5)),
    ("4.9", "range", shares(token=-0.5, sentence=0.3, accumulated=0.5)),
    ("4.9", "range", shares(token=0.5, sentence=0.3, accumulated=float("nan"))),
    ("4.9", "ordering", shares(token=0.3, sentence=0.5, accumulated=0.3)),
    ("4.9", "value", shares(token=0.9, sentence=0.1, accumulated=0.9)),
]


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong")
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("exercise_id", [*FUNCTIONS, "4.8b"])
def test_every_message_is_given_by_some_wrong_answer(exercise_id):
    given = {mutant.finding for mutant in find(exercise_id).mutants}
    given |= {finding for other, finding, _ in MISTAKES if other == exercise_id}
    if exercise_id == "4.8b":
        given = set(ex8b_test_patient.SUSPECTS) | {finding for _, finding, *_ in WRONG_TESTS}
    own = set(find(exercise_id).words.findings)
    if exercise_id in LOSSES:  # what they share must be given by one of them
        everywhere = {m.finding for id in LOSSES for m in find(id).mutants} | {"pad_counted"}
        given |= everywhere & own
    assert own <= given | {"floats"}, own - given


def test_the_messages_show_the_numbers():
    mutants = {mutant.finding: mutant.function for mutant in ex1_length_mask.MUTANTS}
    text = text_of(found("4.1", mutants["one_too_many"])[0])
    assert "lengths = [3, 1, 2], max_len = 4" in text
    assert "bool [3, 4]: 1111 1100 1110" in text
    text = text_of(found("4.1", mutants["transposed"])[0])
    assert "your mask have [3, 2, 1, 0] cells that are on, the lengths are [3, 1, 2]" in text


def attention(scores, values, lengths, weights):
    mask = sequence_mask(lengths, scores.size(1))
    return torch.einsum("bs,bsh->bh", weights(scores, mask), values)


def over_sum(weights):
    return weights / weights.sum(1, keepdim=True)


@pytest.mark.parametrize(
    ("finding", "weights"),
    [
        ("no_mask", lambda scores, mask: scores.softmax(-1)),
        ("softmax_first", lambda scores, mask: scores.softmax(-1).masked_fill(~mask, 0)),
        ("zero_score", lambda scores, mask: scores.masked_fill(~mask, 0).softmax(-1)),
        ("empty_row", lambda scores, mask: over_sum(scores.softmax(-1) * mask)),
        ("empty_row", lambda scores, mask: scores.masked_fill(~mask, -torch.inf).softmax(-1)),
        ("nan_values", masked_softmax),
    ],
)
def test_the_weights_of_4_7_are_called_right_only_where_they_are(finding, weights):
    """All let NaN at the pads through, and only in the last one is that the first fault."""
    report, result = found("4.7", lambda *batch: attention(*batch, weights))
    assert result.name == finding
    assert ("The weights are right" in text_of(report)) == (finding == "nan_values")
    shown = "NaN" if finding == "nan_values" else "50"
    assert f"{shown} in values at pads" in text_of(report)


def test_nan_that_has_spread_and_pads_of_an_empty_row_are_told_apart():
    def lost(*batch):
        return attention(*batch, masked_softmax).nan_to_num()

    assert found("4.7", lost)[1].name == "nan_replaced"

    def of_pads(scores, values, lengths):
        mask = sequence_mask(lengths, scores.size(1))
        weights = scores.masked_fill(~mask, -1e9).softmax(-1)
        return torch.einsum("bs,bsh->bh", weights, values.nan_to_num())

    assert found("4.7", of_pads)[1].name == "empty_row_reads_pads"


def with_both_masks(ids, lengths, right, left):
    positions, moved = torch.arange(ids.size(1)), torch.zeros_like(ids)
    moved[left(positions, lengths[:, None])] = ids[right(positions, lengths[:, None])]
    return moved


@pytest.mark.parametrize(
    ("exercise_id", "finding", "answer", "fed"),
    [
        ("4.2", "inverted", lambda nll, mask: nll[~mask].mean(), "lengths = [3, 1, 2], T = 4"),
        ("4.4", "not_moved", lambda ids, lengths: ids, "lengths = [3, 1, 2], T = 4"),
        (
            "4.4",
            "left_is_pads",
            lambda ids, n: with_both_masks(ids, n, torch.lt, torch.ge),
            "lengths = [3, 1, 2], T = 4",
        ),
        (
            "4.4",
            "not_as_many",
            lambda ids, n: with_both_masks(ids, n, torch.lt, lambda t, n: t > len(t) - n),
            "lengths = [3, 1, 2], T = 4",
        ),
        (
            "4.4",
            "swapped",
            lambda ids, n: with_both_masks(ids, n, lambda t, n: t >= len(t) - n, torch.lt),
            "lengths = [3, 1, 2], T = 4",
        ),
        (
            "4.5a",
            "late_end",
            lambda ids, start, end: labels(ids, start - 1, end),
            "prompt_lengths = [2, 1, 1], lengths = [4, 2, 3], T = 5",
        ),
        (
            "4.5a",
            "added",
            lambda ids, start, end: labels(ids, start - 1, start + end - 1),
            "prompt_lengths = [2, 1, 1], lengths = [4, 2, 3], T = 5",
        ),
        (
            "4.5a",
            "minus_one",
            lambda ids, start, end: labels(ids, start - 1, end - 1, -1),
            "prompt_lengths = [2, 1, 1], lengths = [4, 2, 3], T = 5",
        ),
        (
            "4.5a",
            "pads_by_id",
            lambda ids, start, end: labels(ids, start - 1, end + 99).masked_fill(ids == 0, -100),
            "lengths = [3, 2, 3], T = 3; ids = [1 2 0] [4 5 99] [7 8 9]",
        ),
        ("4.6", "causal_alone", lambda s: torch.ones(len(s), *[s.size(1)] * 2).tril().bool(), ""),
        ("4.6", "keys_alone", lambda s: s.ne(0).unsqueeze(1).repeat(1, s.size(1), 1), ""),
        (
            "4.8c",
            "zero_ignored",
            lambda z, y, n: F.nll_loss(z.mT, y * sequence_mask(n, y.size(1)), ignore_index=0),
            "lengths = [3, 1, 2], T = 4",
        ),
    ],
)
def test_honest_mistakes_are_named_on_a_batch_that_can_be_read(exercise_id, finding, answer, fed):
    report, result = found(exercise_id, answer)
    assert result.name == finding, report.text
    assert fed in text_of(report)


def labels(ids, before, last, elsewhere=-100):
    """Labels behind position ``before`` up to and including ``last``."""
    positions = torch.arange(ids.size(1))
    answer = (positions > before[:, None]) & (positions <= last[:, None])
    return ids.where(answer, elsewhere)


def test_a_wrong_table_of_4_6_stands_beside_the_right_one():
    def diagonal(segments):
        return torch.eye(segments.size(1)).bool().expand(len(segments), -1, -1)

    text = text_of(found("4.6", diagonal)[0])
    assert "For the row 1 1 2 2 0 the table should be, query by query, 10000 11000" in text
    assert "Yours is 10000 01000 00100 00010 00001" in text


def test_equal_shares_are_shown_as_numbers_and_shares_of_the_loss_are_called_so():
    text = text_of(found("4.9", shares(token=0.25, sentence=0.25, accumulated=0.25))[0])
    assert "0.25 of the gradient under 'token' and 0.25 under 'sentence'" in text

    def of_the_loss(log_probs, targets, lengths, micro_size):
        mask = sequence_mask(lengths, targets.size(1))
        nll = -log_probs.gather(-1, targets[..., None])[..., 0].where(mask, 0)  # [B, T]
        sizes = [n.sum().expand(len(n)) for n in lengths.split(micro_size)]
        divisors = {"token": lengths.sum(), "sentence": lengths, "accumulated": torch.cat(sizes)}
        by_name = {name: nll.sum(1) / divisor for name, divisor in divisors.items()}
        return {k: (v[lengths.argmax()] / v.sum()).item() for k, v in by_name.items()}

    assert found("4.9", of_the_loss)[1].name == "of_the_loss"


def test_no_verdict_says_that_a_law_holds_which_the_reference_breaks():
    """Law 3 also feeds a batch without a token, where these means are 0 / 0."""

    def bare(logits, targets, mask):
        nll = F.cross_entropy(logits.mT, targets, reduction="none")
        return ex2_token_mean.token_mean(nll, mask)

    assert not laws.loss_ledger(bare).holds
    for exercise_id in LOSSES:
        text = text_of(found(exercise_id, find(exercise_id).reference)[0])
        assert "law 3 holds" not in text and "every batch that has a" in text


def test_the_solution_of_4_2_does_not_multiply_by_the_mask():
    nll = torch.tensor([[1.0, 3.0, torch.inf]])
    mask = torch.tensor([[True, True, False]])
    assert ex2_token_mean.token_mean(nll, mask) == 2


def test_the_third_hint_of_4_4_says_more_than_the_stub():
    third = find("4.4").words.hints[2].code
    assert third.count("____") == 2 and "lengths[:, None]" in third


def test_labels_of_4_5a_are_what_4_5b_is_fed():
    """An answer to 4.5b sees -100 in column 0, as its docstring promises."""
    for seed in range(5):
        for probe in probes_of("4.5b", seed):
            labels = probe.args["labels"]
            assert (labels[:, 0] == -100).all() and (labels != -100).any(1).all()
    ids = torch.tensor([[5, 6, 0, 2, 9]])
    labels = ex5a_prompt_labels.prompt_labels(ids, torch.tensor([2]), torch.tensor([4]))
    assert labels.tolist() == [[-100, -100, 0, 2, -100]]


# ---------------------------------------------------------------- the clinic


def test_the_log_is_what_the_bug_really_produces():
    assert patient.reproduce_log() == patient.training_log() == chapter04.training_log()


def column(log, number):
    rows = log[log.index("  step") :].splitlines()[1:]
    return [re.split(r" {2,}", line.strip())[number] for line in rows]


def test_neither_the_log_nor_the_patient_names_the_evidence_and_both_fit_a_narrow_page():
    assert "pad" not in patient.LOG.lower()
    code = inspect.getsource(patient.patient_loss)
    assert not re.search(r"# \[", code), "shapes beside the lines would point at the bug"
    assert max(map(len, patient.LOG.splitlines())) <= 60
    assert max(map(len, code.splitlines())) <= 80


def test_with_a_right_loss_the_evidence_would_not_be_there():
    assert set(column(patient.reproduce_log(ex8c_fixed_loss.by_select), 2)) == {"0.143"}  # 1/7
    assert column(patient.LOG, 2)[-1] > "0.9"
    assert found("4.8a", "B")[1].state == "correct"


def test_no_table_of_one_id_predicts_more_than_six_of_the_eleven_tokens():
    """Choice C of 4.8a is explained by it."""
    after = defaultdict(Counter)
    for sentence in patient.SENTENCES:
        for before, token in zip((patient.BOS, *sentence), sentence, strict=False):
            after[before][token] += 1
    assert sum(max(counts.values()) for counts in after.values()) == 6


def batch(lengths, T=5, V=7):
    generator = torch.Generator().manual_seed(0)
    log_probs = torch.randn(len(lengths), T, V, generator=generator).log_softmax(-1)
    targets = torch.randint(V, (len(lengths), T), generator=generator)
    return log_probs, targets, torch.tensor(lengths)


def right_number(example):
    log_probs, targets, lengths = example
    return masked_nll_loss(log_probs, targets, sequence_mask(lengths, targets.size(1)))


def test_innocents_and_suspects_are_what_they_are_called():
    """On a batch that is not normalised either, as one makes by hand."""
    log_probs, targets, lengths = batch([4, 1, 2])
    for example in ((log_probs, targets, lengths), (log_probs - 1.5, targets, lengths)):
        right = right_number(example)
        for loss in ex8b_test_patient.INNOCENT:
            torch.testing.assert_close(loss(*example), right)
        numbers = [float(loss(*example)) for loss in ex8b_test_patient.SUSPECTS.values()]
        assert len({round(number, 3) for number in (*numbers, float(right))}) == 9


def accepts_everything(loss_function):
    assert loss_function(*batch([4, 1, 2])) is not None


def only_the_sign(loss_function):
    assert loss_function(*batch([4, 1, 2])) >= 0


def without_pads(loss_function):
    example = batch([5, 5, 5])
    torch.testing.assert_close(loss_function(*example), right_number(example))


def one_sentence(loss_function):
    example = batch([3])
    torch.testing.assert_close(loss_function(*example), right_number(example))


def exactly_equal(loss_function):
    """Whole numbers that add up exactly in any order, and still no reason for ==."""
    losses, lengths = torch.tensor([[1.0, 50.0], [2.0, 6.0]]), torch.tensor([1, 2])
    found = loss_function(-losses[..., None], torch.zeros(2, 2, dtype=torch.int64), lengths)
    assert found == 3.0


def returns_a_bool(loss_function):
    example = batch([4, 1, 2])
    return bool(torch.isclose(loss_function(*example), right_number(example)))


def raises_something_else(loss_function):
    example = batch([4, 1, 2])
    if not torch.isclose(loss_function(*example), right_number(example)):
        raise ValueError("wrong loss")


def crashes(loss_function):
    loss_function(torch.zeros(2, 3), torch.zeros(2, 3), torch.ones(2))


def returns_a_word(loss_function):
    example = batch([4, 1, 2])
    if not torch.isclose(loss_function(*example), right_number(example)):
        return "wrong"


def law_on_the_wrong_form(loss_function):
    assert laws.loss_ledger(loss_function)


HEARD = {
    "nothing_rejected": "a test speaks by raising AssertionError",
    "innocent_rejected": "Does it get log_probs, targets and lengths, in this order",
}
WRONG_TESTS = [  # the finding, points, how many suspects are rejected
    (accepts_everything, "nothing_rejected", 0, 0),
    (returns_a_word, "nothing_rejected", 0, 0),
    (law_on_the_wrong_form, "innocent_rejected", 0, None),
    (only_the_sign, "broadcast", 0, 1),
    (without_pads, "broadcast", 0, 3),
    (one_sentence, "broadcast", 0, 6),
    (exactly_equal, "innocent_rejected", 0, None),
    (returns_a_bool, "test_returns", 0, None),
    (crashes, "raised", 0, None),
    (raises_something_else, "other_error", 0, 0),
]


@pytest.mark.parametrize(("test", "finding", "earned", "killed"), WRONG_TESTS)
def test_weak_tests_earn_nothing_and_hear_why(test, finding, earned, killed):
    report, result = found("4.8b", test)
    assert (result.name, result.earned) == (finding, earned), report.text
    assert HEARD.get(finding, "") in text_of(report)
    assert killed is None or f"{killed} of 8" in report.text


def equal_losses(loss_function):
    """Every real token has loss 1, so the sentence mean and a lost EOS cannot be seen."""
    nll = torch.tensor([[1.0, 9.0, 9.0], [1.0, 1.0, 9.0]])
    log_probs = torch.stack([-nll, -nll], -1)
    loss = loss_function(log_probs, torch.zeros(2, 3, dtype=torch.int64), torch.tensor([1, 2]))
    torch.testing.assert_close(loss, torch.tensor(1.0))


def pads_move_nothing(loss_function):
    """An invariance test: no number by hand, so a wrong divisor survives."""
    log_probs, targets, lengths = batch([4, 1, 2])
    pads = ~sequence_mask(lengths, targets.size(1))[..., None]
    changed = log_probs.masked_fill(pads, -9.0)
    after, before = (loss_function(z, targets, lengths) for z in (changed, log_probs))
    torch.testing.assert_close(after, before)


def law_3(loss_function):
    """The chapter says that the law judges any loss, so it has to serve as a test as well."""
    assert laws.loss_ledger(lambda z, y, mask: loss_function(z.log_softmax(-1), y, mask.sum(1)))


@pytest.mark.parametrize(
    ("test", "earned"),
    [(pads_move_nothing, 2), (equal_losses, 4), (law_3, 5), (ex8b_test_patient.test_patient, 5)],
)
def test_tiers_separate_tests_that_see_more_from_those_that_see_less(test, earned):
    report, finding = found("4.8b", test)
    assert finding.earned == earned or finding.state == "correct", report.text
    assert (finding.state == "correct") == (earned == 5), report.text


@pytest.mark.parametrize("survivor", ex8b_test_patient.SUSPECTS)
def test_each_survivor_is_described(survivor):
    report, result = found("4.8b", sparing("4.8b", survivor))
    assert result.name == survivor and "7 of 8" in report.text


@pytest.mark.parametrize("told_by", ["__name__", "__qualname__", "__module__", "__doc__"])
def test_a_suspect_does_not_give_itself_away(told_by):
    seen = set()
    found("4.8b", lambda loss_function: seen.add(getattr(loss_function, told_by)))
    assert len(seen) == 1


def test_the_epilogue_names_the_real_threads():
    text = found("4.8c", ex8c_fixed_loss.fixed_loss)[0].text
    for number in (306, 338, 382):
        assert f"https://github.com/pytorch/tutorials/pull/{number}" in text
