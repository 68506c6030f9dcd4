"""Chapter 4's exercises: typical mistakes, the probes, the bug clinic."""

import inspect
import re

import pytest
import torch
import torch.nn.functional as F

from seq2seq_lib.course import ch04_padding_masks as chapter04
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch04_padding_masks import answers as answers04
from seq2seq_lib.course.ch04_padding_masks import mutants as mutants04
from seq2seq_lib.course.ch04_padding_masks import patient as patient04
from seq2seq_lib.course.ch04_padding_masks import texts as texts04
from seq2seq_lib.course.judging import engine, words
from seq2seq_lib.losses import masked_nll_loss
from seq2seq_lib.masks import sequence_mask

IDS = [exercise.id for exercise in exercises("4")]
DETECTIVE = ["4.6b1", "4.6b2", "4.6b3"]
FUNCTIONS = ["4.2", "4.3", "4.4", "4.5", "4.6c", "4.7"]
RIGHT = [(e.id, a) for e in exercises("4") for a in (e.reference, *e.alternatives)]
MUTANTS = [(e.id, m) for e in exercises("4") for m in e.mutants]


def name_of(value):
    return getattr(value, "__name__", None) or getattr(value, "finding", None) or str(value)


def found(id, answer, seed=None):
    return engine.judge(find(id), answer, seed)


# ---------------------------------------------------------------- right and wrong answers


def test_ids_and_points_are_those_of_the_contract():
    assert {e.id: e.points for e in exercises("4")} == {
        "4.1": 1,
        "4.2": 4,
        "4.3": 4,
        "4.4": 3,
        "4.5": 3,
        "4.6a": 2,
        "4.6b1": 2,
        "4.6b2": 2,
        "4.6b3": 1,
        "4.6c": 3,
        "4.7": 6,
    }
    assert [e.id for e in exercises("4") if e.manual] == ["4.7"]


@pytest.mark.parametrize("id", [*FUNCTIONS, *DETECTIVE])
def test_every_message_is_given_by_some_wrong_answer(id):
    given = {m.finding for m in find(id).mutants}
    if id in DETECTIVE:
        given = set(chapter04.SUSPECTS) | {finding for _, finding, *_ in WRONG_TESTS}
    if id == "4.7":
        given |= {finding for other, finding, _ in MISTAKES if other == "4.7"}
    own = set(find(id).words.findings)
    assert own <= given | set(texts04.LOSS)  # LOSS serves several exercises
    everywhere = {m.finding for e in exercises("4") for m in e.mutants}
    assert set(texts04.LOSS) <= everywhere


# ---------------------------------------------------------------- typical mistakes


def loop_without_pads(log_probs, targets, lengths):
    total = 0.0
    for b in range(len(lengths)):
        for t in range(lengths[b] + 1):
            total = total - log_probs[b, t, targets[b, t]]
    return total / lengths.sum()


def cancels(log_probs, targets, lengths):
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]
    mask = sequence_mask(lengths, targets.size(1))
    return ((nll + 0.1) * mask).sum() / mask.sum()


def half_detached(log_probs, targets, lengths):
    value = answers04.masked_nll_by_select(log_probs, targets, lengths)
    return value * 0.5 + value.detach() * 0.5


def only_for_many_tokens(log_probs, targets, lengths):
    """Right on every probe, but not where law 3 looks: a gap of 300 nats."""
    return answers04.masked_nll_by_select(log_probs.clamp(min=-290.0), targets, lengths)


def shares(**values):
    return lambda *_: values


MISTAKES = [
    ("4.1", "not_a_choice", 2.5),
    ("4.1", "not_a_choice", "G"),
    ("4.1", "not_a_choice", True),
    ("4.2", "not_a_function", torch.ones(3, 4, dtype=torch.bool)),
    ("4.2", "not_a_tensor", lambda lengths, T: [[True] * T] * len(lengths)),
    ("4.2", "shape", lambda lengths, T: torch.arange(T) < lengths.max()),
    ("4.2", "shape", lambda lengths, T: sequence_mask(lengths, T)[..., None]),
    ("4.2", "not_bool", lambda lengths, T: (~sequence_mask(lengths, T)).float()),
    ("4.2", "value", lambda lengths, T: torch.ones(len(lengths), T, dtype=torch.bool)),
    ("4.2", "raised", lambda lengths, T: torch.arange(T) < lengths),
    ("4.2", "raised", lambda lengths: sequence_mask(lengths)),
    ("4.3", "raised", loop_without_pads),
    ("4.3", "value", cancels),
    ("4.3", "shape", lambda *args: answers04.masked_nll(*args)[None]),
    ("4.3", "gradient", half_detached),
    ("4.3", "not_finite", lambda *args: answers04.masked_nll(*args) / 0),
    ("4.3", "not_float", lambda *args: answers04.masked_nll(*args).long()),
    ("4.3", "no_return", lambda *args: print(*args)),
    ("4.3", "law", only_for_many_tokens),
    ("4.4", "not_finite", lambda *args: answers04.masked_nll(*args) + 0.1),
    ("4.5", "raised", lambda z, y, n: F.cross_entropy(z.flatten(0, 1), y)),
    ("4.7", "no_return", lambda *args: print(*args)),
    ("4.7", "not_a_dict", lambda *args: [0.5, 0.5, 0.5]),
    ("4.7", "keys", shares(token=0.5, sentence=0.3)),
    ("4.7", "not_numbers", shares(token=torch.tensor(0.5), sentence=0.3, sum=0.5)),
    ("4.7", "not_numbers", shares(token=True, sentence=0.3, sum=0.5)),
    ("4.7", "range", shares(token=-0.5, sentence=0.3, sum=0.5)),
    ("4.7", "range", shares(token=0.5, sentence=0.3, sum=float("nan"))),
    ("4.7", "token_is_sum", shares(token=0.5, sentence=0.3, sum=0.6)),
    ("4.7", "ordering", shares(token=0.3, sentence=0.5, sum=0.3)),
    ("4.7", "value", shares(token=0.9, sentence=0.1, sum=0.9)),
]


@pytest.mark.parametrize(("id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(id, finding, answer):
    report, result = found(id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong")
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


def test_a_right_shape_by_broadcasting_is_not_accepted():
    """[T] would broadcast to [B, T] in a comparison, and a [1] to a number."""
    for id, answer in (
        ("4.2", lambda lengths, T: torch.ones(T, dtype=torch.bool)),
        ("4.2", lambda lengths, T: sequence_mask(lengths, T)[None]),
        ("4.3", lambda *args: answers04.masked_nll(*args).reshape(1)),
    ):
        assert found(id, answer)[1].name == "shape"


def test_a_number_is_called_a_tensor_without_axes():
    report, _ = found("4.3", lambda *args: answers04.masked_nll(*args).reshape(1))
    assert "wanted is exactly [], a tensor without axes." in " ".join(report.text.split())


def test_the_messages_of_the_contract_show_the_numbers():
    text = " ".join(found("4.2", mutants04.MASK_MUTANTS[3].function)[0].text.split())
    assert "lengths = [3, 1, 2], max_len = 4" in text
    assert "bool [3, 4]: 1111 1100 1110" in text
    assert "Sentence 0 has length 3, but 4 positions are on. " in text
    text = " ".join(found("4.2", mutants04.MASK_MUTANTS[2].function)[0].text.split())
    assert "the rows have [3, 1, 2] real tokens" not in text
    assert re.search(r"the rows have \[\d, \d, \d\] real tokens, the lengths are \[3, 1, 2\]", text)


def test_a_known_mistake_is_shown_on_the_first_and_smallest_probe():
    text = found("4.4", mutants04.wrong_sign)[0].text  # NaN too, but only at the last probe
    assert "Came back: -2.349" in text and "NaN" not in text


def test_a_product_without_nan_is_not_praised_for_selecting():
    """nan_to_num and a mask give the right number at 4.4 too, and are judged on that."""

    def answer(log_probs, targets, lengths):
        return answers04.masked_nll(log_probs.nan_to_num(), targets, lengths)

    report, finding = found("4.4", answer)
    assert finding.state == "correct"
    text = " ".join(report.text.split())
    assert "a NaN at a pad does not reach it" in text and "is selected is read" not in text


def test_another_error_is_not_taken_for_a_known_one():
    def answer(*args):
        try:
            return mutants04.flat_mask(*args)
        except RuntimeError as error:
            raise ValueError("something else") from error

    assert found("4.4", mutants04.flat_mask)[1].name == "flat_mask"
    assert found("4.4", answer)[1].name == "raised"


# ---------------------------------------------------------------- 4.1 and 4.6a: letters


def token_mean_by_hand():
    losses, lengths = chapter04.hand_batch()
    rows = zip(losses.tolist(), lengths.tolist(), strict=True)
    real = [loss for row, length in rows for loss in row[:length]]
    return sum(real) / len(real)


def test_hand_batch_is_asymmetric_and_safe_to_write_into():
    losses, lengths = chapter04.hand_batch()
    assert losses.shape == (3, 5) and lengths.max() < 5
    assert lengths.tolist() not in (sorted(lengths), sorted(lengths, reverse=True))
    assert (
        losses[~sequence_mask(lengths, 5)] > 10 * losses[sequence_mask(lengths, 5)].mean()
    ).all()
    losses.zero_(), lengths.zero_()
    assert chapter04.hand_batch()[0].sum() > 0 and chapter04.hand_batch()[1].sum() > 0


def test_one_letter_is_the_token_mean_and_the_others_have_other_reasons():
    options = chapter04.options_4_1()
    assert len(set(options.values())) == 6
    right = [letter for letter, n in options.items() if n == pytest.approx(token_mean_by_hand())]
    assert right == [find("4.1").reference]
    reasons = {letter: found("4.1", letter)[1].name for letter in options if letter not in right}
    losses, lengths = chapter04.hand_batch()
    real = losses * sequence_mask(lengths, 5)
    numbers = {
        "over_cells": real.mean(),
        "sentence_means": (real.sum(1) / lengths).mean(),
        "row_means": (real.sum(1) / 5).sum(),
        "total": real.sum(),
        "with_pads": losses.mean(),
    }
    for letter, reason in reasons.items():
        assert options[letter] == pytest.approx(numbers[reason].item(), abs=1e-3)
    assert set(reasons.values()) == set(numbers) == set(find("4.1").words.findings)


def test_the_log_is_what_the_bug_really_produces():
    assert patient04.reproduce_log() == patient04.training_log() == chapter04.training_log()


def test_with_a_right_loss_the_evidence_would_not_be_there():
    log = patient04.reproduce_log(answers04.masked_nll)
    assert {line.split()[-1] for line in log.splitlines()[4:]} == {"0.143"}  # 1/7
    assert [line.split()[-1] for line in patient04.LOG.splitlines()[4:]][-1] > "0.9"
    assert found("4.6a", "D")[1].state == "correct"
    assert {found("4.6a", c)[1].name for c in "ABC"} == set(find("4.6a").words.findings)


def test_the_log_says_nothing_about_the_best_possible_accuracy_that_is_not_so():
    """Choice C is explained by: no table of one id can predict more than 6 of the 11 tokens."""
    from collections import Counter, defaultdict

    after = defaultdict(Counter)
    for sentence in patient04.SENTENCES:
        for before, token in zip((patient04.BOS, *sentence), sentence, strict=False):
            after[before][token] += 1
    assert sum(max(counts.values()) for counts in after.values()) == 6


# ---------------------------------------------------------------- 4.6b: a test that is tested


def batch(lengths, T=5, V=7):
    generator = torch.Generator().manual_seed(0)
    log_probs = torch.randn(len(lengths), T, V, generator=generator).log_softmax(-1)
    targets = torch.randint(V, (len(lengths), T), generator=generator)
    return log_probs, targets, torch.tensor(lengths)


def right_number(example):
    log_probs, targets, lengths = example
    return masked_nll_loss(log_probs, targets, sequence_mask(lengths, targets.size(1)))


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


def rejects_everything(loss_function):
    assert loss_function(*batch([4, 1, 2])) == 1.5


def to_the_last_digit(loss_function):
    example = batch([4, 1, 2])
    assert loss_function(*example).item() == right_number(example).double().item() + 1e-9


def returns_a_bool(loss_function):
    example = batch([4, 1, 2])
    return bool(torch.isclose(loss_function(*example), right_number(example)))


def crashes(loss_function):
    loss_function(torch.zeros(2, 3), torch.zeros(2, 3), torch.ones(2))


def raises_something_else(loss_function):
    example = batch([4, 1, 2])
    if not torch.isclose(loss_function(*example), right_number(example)):
        raise ValueError("wrong loss")


def pads_move_nothing(loss_function):
    """An invariance test: no number by hand, so a wrong divisor survives."""
    log_probs, targets, lengths = batch([4, 1, 2])
    pads = ~sequence_mask(lengths, targets.size(1))[..., None]
    changed = log_probs.masked_fill(pads, -9.0)
    after, before = (loss_function(z, targets, lengths) for z in (changed, log_probs))
    torch.testing.assert_close(after, before)


def equal_losses(loss_function):
    """Every real token has loss 1, so the sentence mean and a lost EOS cannot be seen."""
    nll = torch.tensor([[1.0, 9.0, 9.0], [1.0, 1.0, 9.0]])
    log_probs = torch.stack([-nll, -nll], -1)
    loss = loss_function(log_probs, torch.zeros(2, 3, dtype=torch.int64), torch.tensor([1, 2]))
    torch.testing.assert_close(loss, torch.tensor(1.0))


WRONG_TESTS = [
    (accepts_everything, "nothing_rejected", 0),
    (only_the_sign, "broadcast", 1),
    (without_pads, "broadcast", 3),
    (one_sentence, "broadcast", 6),
    (rejects_everything, "innocent_rejected", None),
    (to_the_last_digit, "innocent_rejected", None),
    (returns_a_bool, "test_returns", None),
    (crashes, "raised", None),
    (raises_something_else, "other_error", 0),
]


@pytest.mark.parametrize("id", DETECTIVE)
@pytest.mark.parametrize(("test", "finding", "killed"), WRONG_TESTS, ids=name_of)
def test_weak_tests_earn_no_part_and_hear_why(id, test, finding, killed):
    report, result = found(id, test)
    assert result.name == finding, report.text
    assert result.state == ("error" if finding == "raised" else "wrong")
    if killed is not None:
        assert f"{killed} of 8" in report.text


def states(test):
    return [found(id, test)[1].state for id in DETECTIVE]


def test_parts_are_earned_one_by_one():
    assert states(equal_losses) == ["correct", "correct", "wrong"]
    assert states(answers04.test_patient) == ["correct"] * 3
    assert "6 of 8" in found("4.6b3", equal_losses)[0].text
    assert states(pads_move_nothing) == ["correct", "wrong", "wrong"]
    assert "3 of 8" in found("4.6b1", pads_move_nothing)[0].text


def prints_its_verdict(loss_function):
    try:
        answers04.test_patient(loss_function)
    except AssertionError:
        print("wrong!")


def test_a_test_that_only_prints_sees_what_it_printed():
    report, finding = found("4.6b1", prints_its_verdict)
    assert finding.name == "nothing_rejected"
    assert (words.say("printed"), "wrong!") in report.lines


def test_a_test_that_raises_something_else_hears_of_assertion_errors():
    text = " ".join(found("4.6b1", raises_something_else)[0].text.split())
    assert "At 8 of 8 wrong ones your test stops with ValueError." in text
    assert "A test speaks by AssertionError" in text


@pytest.mark.parametrize("survivor", chapter04.SUSPECTS)
def test_each_survivor_is_described(survivor):
    def blind(loss_function):
        if (
            inspect.getclosurevars(loss_function).nonlocals["implementation"]
            is not chapter04.SUSPECTS[survivor]
        ):
            answers04.test_patient(loss_function)

    report, result = found("4.6b3", blind)
    assert result.name == survivor
    assert "7 of 8" in report.text


@pytest.mark.parametrize("told_by", ["__name__", "__qualname__", "__module__", "__doc__"])
def test_a_suspect_does_not_give_itself_away(told_by):
    seen = set()
    found("4.6b1", lambda loss_function: seen.add(getattr(loss_function, told_by)))
    assert len(seen) == 1


def test_innocents_and_suspects_are_what_they_are_called():
    """On a batch that is not normalised either, as one makes by hand."""
    log_probs, targets, lengths = batch([4, 1, 2])
    for example in ((log_probs, targets, lengths), (log_probs - 1.5, targets, lengths)):
        right = right_number(example)
        for loss in chapter04.INNOCENT:
            torch.testing.assert_close(loss(*example), right)
        numbers = [round(float(loss(*example)), 3) for loss in chapter04.SUSPECTS.values()]
        assert len({*numbers, round(float(right), 3)}) == 9


# ---------------------------------------------------------------- the probes


@pytest.mark.parametrize("id", FUNCTIONS)
@pytest.mark.parametrize("seed", range(20))
def test_probes_are_asymmetric(id, seed):
    drawn = find(id).task.probes(torch.Generator().manual_seed(seed))
    shapes, kinds = [], set()
    for probe in drawn:
        lengths = probe.args["lengths"]
        values = lengths.tolist()
        T = probe.args.get("max_len") or probe.args["targets"].size(1)
        assert len(values) >= 2 and min(values) == 1
        assert values.count(max(values)) == 1
        if len(values) > 2:
            assert values not in (sorted(values), sorted(values, reverse=True))
        kinds |= {"square"} if len(values) == T else set()
        kinds |= {"full"} if max(values) == T else {"wide"}
        shapes.append((len(values), T))
        scores = probe.args.get("log_probs", probe.args.get("logits"))
        if scores is None:
            continue
        V = scores.size(-1)
        assert V not in shapes[-1]
        targets, mask = probe.args["targets"], sequence_mask(lengths, T)
        assert targets.min() >= 0 and targets.max() < V
        kinds |= {"zero is real"} if (targets[mask] == 0).any() else {"zero is a pad"}
        kinds |= {"words at pads"} if (targets[~mask] > 0).any() else {"zero at pads"}
        assert torch.isfinite(scores[mask]).all()
        if probe.gradient:
            assert torch.isfinite(scores).all() and scores[~mask].min() < -1e3
        else:
            assert scores[~mask].isnan().all()
    assert kinds >= {"square", "full", "wide"}
    assert sum(B == T for B, T in shapes) == 1
    if id not in ("4.2", "4.7"):
        assert kinds >= {"zero is real", "zero is a pad", "words at pads", "zero at pads"}


def test_probes_are_drawn_anew_but_for_the_first_two():
    one, two = ([p.fed for p in find("4.2").task.probes(torch.Generator().manual_seed(s))]
                for s in (1, 2))  # fmt: skip
    assert one[:2] == two[:2] and one[2:] != two[2:]


# ---------------------------------------------------------------- the texts


def test_the_epilogue_names_the_real_issue():
    text = found("4.6c", answers04.fixed_loss)[0].text
    for number in (306, 338, 382):
        assert f"https://github.com/pytorch/tutorials/pull/{number}" in text
