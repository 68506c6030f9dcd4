"""Chapter 6's exercises: what they are given, their probes, typical mistakes, the bug clinic."""

import re

import pytest
import torch

from seq2seq_lib.course import ch06_teacher_forcing as chapter06
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch06_teacher_forcing import (
    ex1_greedy_steps,
    ex6_second_pass,
    ex7_test_evaluator,
    ex8b_test_patient,
    ex9_slip_run,
    patient,
)
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.vocab import EOS_ID, PAD_ID, UNK_ID
from tests.support.answers import found, probes_of, sparing

FUNCTIONS = ("6.1", "6.2", "6.4", "6.5", "6.6", "6.8c", "6.9")
DETECTIVES = {"6.7": ex7_test_evaluator, "6.8b": ex8b_test_patient}


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    assert {e.id: e.points for e in exercises("6")} == {
        "6.1": 0,
        "6.2": 0,
        "6.3": 1,
        "6.4": 2,
        "6.5": 2,
        "6.6": 4,
        "6.7": 5,
        "6.8a": 2,
        "6.8b": 5,
        "6.8c": 3,
        "6.9": 6,
    }
    assert [e.id for e in exercises("6") if e.manual] == ["6.9"]


# ---------------------------------------------------------------- what the notebooks are given


def test_the_card_says_what_stands_on_it_and_follows_the_protocol():
    card = chapter06.Card()
    batch = card.batch({"three": "d", "one": "a d", "two": "c a b d"})
    log_probs = card(batch)
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(3, 5))
    assert card.words(log_probs.argmax(-1)) == ["d • • • •", "a b • • •", "c b b d •"]
    outputs = greedy_search(card, batch.src, batch.src_lengths, max_new_tokens=6)
    a, b, c, d = range(4, 8)
    assert [best.tokens for (best,) in outputs] == [[d, 2], [a, b, d, 2], [c, b, d, 2]]
    swapped = card.start(batch.src, batch.src_lengths).select(torch.tensor([2, 0]))
    assert swapped.words.tolist() == batch.src[[2, 0], 0].tolist()


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ({}, "no examples"),
        ({"four": "d"}, "Unknown source: 'four'"),
        ({"one": "a x"}, "letters: x"),
    ],
)
def test_the_card_refuses_what_it_does_not_know(pairs, says):
    with pytest.raises(ValueError, match=says):
        chapter06.Card().batch(pairs)


def test_the_half_trained_model_is_half_trained():
    """Its scores are bands of the chapter; here: some rows are right and some are not."""
    trained, corpus = chapter06.half_trained(seed=1)
    src = [[*trained.src_vocab.encode(pair.source), EOS_ID] for pair in corpus.test[:60]]
    right = 0
    for ids, pair in zip(src, corpus.test, strict=False):
        lengths = torch.tensor([len(ids)])
        (best,) = greedy_search(trained.model, torch.tensor([ids]), lengths, max_new_tokens=9)[0]
        right += tuple(trained.tgt_vocab.decode(best.tokens)) == tuple(pair.target)
    assert 0.4 < right / 60 < 0.85 and not trained.model.training


def test_the_small_model_shows_every_kind_of_look():
    """A row says UNK, the rows end at three lengths below the cap, and no output is short."""
    batch = chapter06.small_batch([[4], [4], [4]])
    said = ex7_test_evaluator.greedy(chapter06.small_model(), batch)
    assert UNK_ID in said[0][:2] and all(row[-1] == EOS_ID for row in said)
    assert len({len(row) for row in said}) == 3
    assert 5 <= min(map(len, said)) and max(map(len, said)) < ex7_test_evaluator.CAP
    with pytest.raises(ValueError, match="wants 3 targets, but got 2"):
        chapter06.small_batch([[4], [4]])


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("exercise_id", FUNCTIONS)
@pytest.mark.parametrize("seed", range(5))
def test_probes_reach_the_edges(exercise_id, seed):
    drawn = probes_of(exercise_id, seed)
    shapes = set()
    for probe in drawn:
        if "targets" in probe.args:
            rows = probe.args["targets"]
            shapes.add((len(rows), max(map(len, rows)) + 1))
            continue
        tensors = [v for v in probe.args.values() if torch.is_tensor(v)]
        table = max(tensors, key=lambda tensor: tensor.dim())
        columns = table.size(1) if table.dim() > 1 else probe.args.get("T", 1)
        shapes.add((len(table), columns))
    assert any(B == 1 for B, _ in shapes), "one sentence"
    assert any(B > 3 for B, _ in shapes)
    if exercise_id != "6.2":
        least = 2 if exercise_id in ("6.5", "6.9") else 1
        assert (1, least) in shapes and any(B == T > 1 for B, T in shapes)


@pytest.mark.parametrize("seed", range(5))
def test_pads_of_the_first_table_of_6_4_tell_three_mistakes_apart(seed):
    args = probes_of("6.4", seed)[0].args
    same = args["pred"] == args["gold"]
    assert find("6.4").task.spec(*args.values()).tolist() == [True, True, True, False, False]
    assert same[:3, 2:].tolist() == [[False, False], [True, True], [True, False]]


@pytest.mark.parametrize("seed", range(3))
def test_a_probe_of_6_1_ends_in_all_rows_before_its_last_step(seed):
    """Or a loop that stops there could not be told from one that runs T steps."""
    args = probes_of("6.1", seed)[2].args
    said = ex1_greedy_steps.greedy_steps(**args)
    ends = said == EOS_ID
    assert ends[:, :3].any(1).all() and ends[:, 2].all() and not ends[:, 3:].any()
    assert ends[0, 0] and not ends[1:, :2].any() and args["T"] == 5


# ---------------------------------------------------------------- typical mistakes


def draws_and_forgets(tgt_in, logits, coins):
    return ex6_second_pass.second_pass_inputs(tgt_in, logits, coins) + 1


def says_by_chance(step, state, first, T):
    said, tokens = [], first
    for _ in range(T):
        log_probs, state = step(tokens, state)
        said.append(tokens := torch.multinomial(log_probs.exp(), 1)[:, 0])
    return torch.stack(said, 1)


def tosses(gold, own, coin):
    return torch.where(torch.rand(gold.shape) < 0.5, gold, own)


def samples(tgt_in, logits, coins):
    drawn = torch.multinomial(logits.flatten(0, 1).softmax(-1), 1).view(tgt_in.shape)
    own = torch.cat([tgt_in[:, :1], drawn[:, :-1]], 1)
    return torch.where(coins, tgt_in, own)


def pads_when_done(step, state, first, T):
    said, tokens, done = [], first, torch.zeros_like(first, dtype=torch.bool)
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1).masked_fill(done, PAD_ID)
        done = done | (tokens == EOS_ID)
        said.append(tokens)
    return torch.stack(said, 1)


def blanks_of_6_4(compare, judge):
    def answer(pred, gold, lengths):
        pad = torch.arange(gold.size(1))[None, :] >= lengths[:, None]
        return (compare(pred, gold) | judge(pad)).all(1)

    return answer


def chooses_then_moves(tgt_in, logits, coins):
    read = tgt_in.clone()
    read[:, 1:] = torch.where(coins, tgt_in, logits.argmax(-1))[:, :-1]
    return read


MISTAKES = [
    ("6.1", "pads_after_end", pads_when_done),
    ("6.1", "stops", lambda *args: ex1_greedy_steps.stops(*args)),
    ("6.6", "not_the_best", samples),
    ("6.1", "not_the_best", says_by_chance),
    ("6.2", "other_coins", tosses),
    ("6.4", "unequal", blanks_of_6_4(torch.ne, lambda pad: pad)),
    ("6.4", "real_excused", blanks_of_6_4(torch.eq, torch.logical_not)),
    ("6.6", "gold_moved", chooses_then_moves),
    ("6.1", "not_a_function", torch.ones(3, 4, dtype=torch.int64)),
    ("6.1", "raised", lambda step, state, first, T: step(first[:, None, None], state)[5]),
    ("6.1", "not_ids", lambda *args: find("6.1").reference(*args).float()),
    ("6.1", "shape", lambda step, state, first, T: first[:, None].repeat(1, T + 2)),
    ("6.1", "not_the_best", lambda step, state, first, T: first[:, None].repeat(1, T) + 2),
    ("6.2", "not_ids", lambda gold, own, coin: torch.where(coin, gold, own).float()),
    ("6.2", "value", lambda gold, own, coin: torch.where(coin, gold, own) + 1),
    ("6.3", "not_a_choice", "G"),
    ("6.3", "not_a_choice", 0.98),
    ("6.4", "raised", lambda pred, gold, lengths: (pred == gold)[lengths * 99]),
    ("6.4", "not_bool", lambda *args: find("6.4").reference(*args).int()),
    ("6.4", "value", lambda pred, gold, lengths: torch.ones(len(gold), dtype=torch.bool)),
    ("6.5", "not_ids", lambda *args: find("6.5").reference(*args).double()),
    ("6.5", "value", lambda tgt_in, k, wrong: tgt_in.flip(1)),
    ("6.6", "not_ids", lambda *args: find("6.6").reference(*args).float()),
    ("6.6", "bos_gone", draws_and_forgets),
    ("6.6", "shape", lambda tgt_in, logits, coins: logits),
    ("6.8c", "not_ids", lambda targets: [x.float() for x in find("6.8c").reference(targets)]),
    ("6.8c", "value", lambda targets: [x * 0 for x in find("6.8c").reference(targets)]),
    ("6.8c", "raised", lambda targets: torch.tensor([*targets, [1] * 99])),
    ("6.9", "not_ids", lambda *args: find("6.9").reference(*args).float()),
    ("6.9", "value", lambda step, state, tgt_in, k, wrong: tgt_in.clone()),
]


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong")
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("exercise_id", [*FUNCTIONS, *DETECTIVES])
def test_every_message_is_given_by_some_wrong_answer(exercise_id):
    given = {mutant.finding for mutant in find(exercise_id).mutants}
    given |= {finding for other, finding, _ in MISTAKES if other == exercise_id}
    if exercise_id in DETECTIVES:
        given = {finding for other, finding, *_ in WRONG_TESTS if other == exercise_id}
    own = set(find(exercise_id).words.findings)
    assert own <= given, own - given


def test_a_slip_of_6_9_is_a_slip():
    """wrong is never the gold token, or nothing would slip."""
    for seed in range(20):
        for probe in ex9_slip_run.probes(torch.Generator().manual_seed(seed)):
            assert (probe.args["wrong"] != probe.args["tgt_in"][:, probe.args["k"]]).all()


# ---------------------------------------------------------------- tests that learners write


def compares(batches):
    """A test that compares what an evaluation gives for each of these targets."""

    def test(evaluate):
        model = chapter06.small_model()
        said = [[list(row) for row in evaluate(model, chapter06.small_batch(b))] for b in batches]
        assert all(one == said[0] for one in said)

    return test


LOOKED_AT = [[8, 7, 6, 5, 4, 8], [6, 6, 6], [8, 5, 5, 5, 5]]
SAME_LENGTHS = ([[4, 5, 6, 7], [8, 4, 5], [5, 5, 7]], [[7, 8, 5, 4], [6, 7, 8], [8, 4, 6]])


def equal_width(make_pair):
    tgt_in, tgt_out = make_pair([[5, 6], [7, 8]])
    assert tgt_in.tolist() == [[1, 5, 6], [1, 7, 8]]
    assert tgt_out.tolist() == [[5, 6, 2], [7, 8, 2]]


def strict_pads(make_pair):
    tgt_in, _ = make_pair([[5], [7, 8]])
    assert tgt_in.tolist() == [[1, 5, 0], [1, 7, 8]]


def expects_the_reference(evaluate):
    targets = [[4, 5, 6], [7], [8, 8]]
    said = evaluate(chapter06.small_model(), chapter06.small_batch(targets))
    assert [list(row) for row in said] == [[*target, EOS_ID] for target in targets]


WRONG_TESTS = [
    ("6.7", "innocent_rejected", 0, expects_the_reference),
    ("6.8b", "innocent_rejected", 0, strict_pads),
    ("6.7", "gold_end", 4, compares(SAME_LENGTHS)),
    ("6.7", "gold_width", 4, compares([*SAME_LENGTHS, [[4], [6, 7, 8, 4], [5, 5]]])),
    *[("6.7", name, 0 if name == "teacher_forced" else 4, sparing("6.7", name))
      for name in ex7_test_evaluator.SUSPECTS if name not in ("gold_end", "gold_width")],
    ("6.8b", "longest_first", 4, equal_width),
    *[("6.8b", name, 0 if name == "no_shift" else 4, sparing("6.8b", name))
      for name in ex8b_test_patient.SUSPECTS if name != "longest_first"],
]  # fmt: skip


@pytest.mark.parametrize(("exercise_id", "finding", "earned", "answer"), WRONG_TESTS)
def test_a_weak_test_is_told_which_wrong_one_it_lets_pass(exercise_id, finding, earned, answer):
    report, result = found(exercise_id, answer)
    assert (result.name, result.earned) == (finding, earned), report.text


@pytest.mark.parametrize(
    ("exercise_id", "finding", "answer"),
    [
        ("6.7", "nothing_rejected", lambda evaluate: print(evaluate)),
        ("6.7", "test_returns", lambda evaluate: True),
        ("6.8b", "nothing_rejected", lambda make_pair: print(make_pair)),
        ("6.8b", "raised", lambda make_pair: make_pair([[5]])[7]),
    ],
)
def test_other_weak_tests(exercise_id, finding, answer):
    assert found(exercise_id, answer)[1].name == finding


@pytest.mark.parametrize(
    ("exercise_id", "answer", "clue"),
    [("6.7", expects_the_reference, "with the reference"), ("6.8b", strict_pads, "real places")],
)
def test_a_test_that_is_too_strict_is_told_where(exercise_id, answer, clue):
    text = found(exercise_id, answer)[0].text
    assert clue in " ".join(text.split()) and "tolerance" not in text


def test_a_test_that_asks_for_one_form_is_told_so():
    def only_lists(evaluate):
        batch = chapter06.small_batch([[4], [5], [6]])
        assert all(type(row) is list for row in evaluate(chapter06.small_model(), batch))

    assert found("6.7", only_lists)[1].name == "other_form"


# ---------------------------------------------------------------- the clinic


def test_the_log_is_what_the_bug_really_produces():
    """Its numbers depend a little on the processor, so they are compared as bands."""
    made, steps, test = patient.training(seed=1)
    assert len(steps) == 150 and steps[49][0] < 0.1 and steps[-1][0] < 0.02 and steps[-1][1] == 1
    outputs = greedy_search(made.model, test.src, test.src_lengths, max_new_tokens=9)
    gold = [row[row != PAD_ID].tolist() for row in test.tgt_out]
    assert all(best.tokens != row for (best,), row in zip(outputs, gold, strict=True))
    assert len({best.tokens[0] for (best,) in outputs}) <= 4
    numbers = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+)$", patient.LOG, re.MULTILINE)
    assert [int(step) for step, *_ in numbers] == list(patient.SHOWN)
    assert float(numbers[-1][1]) < 0.02 and numbers[-1][2] == "1.000"
    assert "greedy search: 0 right" in chapter06.training_log() == patient.LOG


def test_the_patient_reads_what_it_must_say():
    tgt_in, tgt_out = chapter06.patient_pair([[5, 6], [7]])
    assert tgt_out.tolist() == [[5, 6, EOS_ID], [7, EOS_ID, PAD_ID]]
    assert torch.equal(tgt_in, tgt_out)
