"""The search tree: searches against the library's, the tree by law, the question, the picture."""

import itertools
import math
import re
import xml.etree.ElementTree as ET
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import decoding
from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.search_tree import (
    EXPLORER,
    OUTPUTS,
    PENALTIES,
    STATES,
    TEMPERATURES,
    TOP_KS,
    TOP_PS,
)
from seq2seq_lib.course.explorers.search_tree.compute import KNOWS, compute
from seq2seq_lib.course.explorers.search_tree.picture import LIST_ROWS, draw, percent
from seq2seq_lib.course.explorers.search_tree.steps import (
    DATES,
    DRAWS,
    LETTERS,
    STRATEGIES,
    Reshape,
    Source,
    chance_of,
    full_beam,
    run,
    source_of,
)
from seq2seq_lib.laws import HashModel, four_letters
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

FATES = ("kept", "pruned", "finished", "cut")
RESHAPES = [Reshape(*values) for values in itertools.product(TEMPERATURES, TOP_KS, TOP_PS)]


def text(result, output) -> str:
    return result.model.text(output.tokens)


def answer_to(result) -> str:
    return EXPLORER.judge(result).answer


def of(source=LETTERS, **params):
    """The whole search, whatever its last step is."""
    return compute(**{"source": source, "step": source_of(source).steps, **params})


def every_output(name=LETTERS, penalty=0.0):
    source = source_of(name)
    search = decoding.exhaustive_search
    settings = {"max_new_tokens": source.steps, "n_best": None, "length_penalty": penalty}
    return search(source.model, *source.batch, **settings)[0]


# ---------------------------------------------------------------- by value


@pytest.mark.parametrize(
    ("strategy", "width", "output", "prob"),
    [
        ("greedy", 1, "acb•", 0.40 * 0.36 * 0.35 * 0.45),
        ("beam", 1, "acb•", 0.40 * 0.36 * 0.35 * 0.45),
        ("beam", 2, "ab•", 0.40 * 0.34 * 0.45),
        ("beam", 3, "b•", 0.25 * 0.45),
        ("beam", 5, "b•", 0.25 * 0.45),
        ("exhaustive", 1, "b•", 0.25 * 0.45),
    ],
)
def test_wider_beams_find_more_probable_and_shorter_outputs(strategy, width, output, prob):
    result = compute(strategy=strategy, width=width)
    assert text(result, result.search.best) == output == answer_to(result)
    assert result.search.best.log_prob == pytest.approx(math.log(prob), rel=1e-12)
    assert result.truth.exact and result.truth.ended == 40
    assert text(result, result.truth.probable) == "b•"


@pytest.mark.parametrize(
    ("penalty", "output"), [(0.0, "b•"), (0.6, "b•"), (0.7, "ab•"), (1.0, "ab•"), (1.5, "acb•")]
)
def test_the_length_penalty_picks_longer_outputs(penalty, output):
    for strategy in ("beam", "exhaustive"):
        result = compute(strategy=strategy, width=3, length_penalty=penalty)
        best = result.search.best
        assert text(result, best) == text(result, result.found[0]) == output
        assert result.scores[0] == pytest.approx(best.log_prob / len(best.tokens) ** penalty)
        assert text(result, result.truth.scored) == output


def test_captions_say_what_is_found():
    for name in ("greedy", "two_beams", "three_beams"):
        best = compute(**EXPLORER.params(name)).search.best
        output = source_of(LETTERS).text(best.tokens)
        found = f"{output}, {len(best.tokens)} tokens, p = {math.exp(best.log_prob):.4f}"
        assert STATES[name].caption.endswith(found)


def test_the_chances_of_an_output_by_hand():
    b_end = (5, 2)
    assert chance_of(LETTERS, b_end, Reshape()) == pytest.approx(0.25 * 0.45)
    # top-k 2 and top-p 0.5 leave a and c at the start: b never comes
    assert chance_of(LETTERS, b_end, Reshape(top_k=2)) == 0
    assert chance_of(LETTERS, b_end, Reshape(top_p=0.5)) == 0
    assert chance_of(LETTERS, b_end, Reshape(top_p=0.8)) == pytest.approx(0.25 / 0.95 * 0.45 / 0.9)
    assert chance_of(LETTERS, (4, 6, 5, 2), Reshape(top_k=1)) == pytest.approx(1), "greedy"
    cold = [
        [p ** (1 / 0.6) for p in row] for row in ((0.4, 0.25, 0.3, 0.05), (0.25, 0.2, 0.1, 0.45))
    ]
    expected = cold[0][1] / sum(cold[0]) * cold[1][3] / sum(cold[1])
    assert chance_of(LETTERS, b_end, Reshape(temperature=0.6)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "same"),
        ({"temperature": 0.6}, "more"),
        ({"temperature": 0.3}, "less"),
        ({"temperature": 2.0}, "less"),
        ({"top_p": 0.8}, "more"),
        ({"top_p": 0.5}, "less"),
        ({"top_k": 1}, "less"),
    ],
)
def test_whether_sampling_prefers_the_most_probable_output(changes, outcome):
    assert answer_to(of(strategy="sampling", **changes)) == outcome


def test_a_plain_draw_of_a_date_is_as_the_model_without_what_is_never_drawn():
    result = of("4 august", strategy="sampling")
    assert answer_to(result) == "same" and result.chance == result.plain_chance
    by_model = math.exp(result.truth.probable.log_prob)
    assert by_model < result.chance < 1.02 * by_model, "PAD and BOS have almost nothing"
    assert compute(strategy="sampling").plain_chance == pytest.approx(0.25 * 0.45)


def test_a_date_without_its_year_misleads_greedy_search():
    """On the shipped model; another one may be misled elsewhere: then choose other dates."""
    names = {name: [of(source=name, strategy="greedy")] for name in DATES}
    for name, results in names.items():
        results += [of(source=name, strategy="beam", width=width) for width in range(1, 6)]
    wrong = {name for name, (greedy, *_) in names.items() if answer_to(greedy) == "no"}
    assert "4 august" in wrong and "4 august 1999" not in wrong
    # august 4: greedy search and 2 beams agree, 3 beams find another one
    assert [answer_to(result) for result in names["august 4"]] == ["no"] * 3 + ["yes"] * 3
    for results in names.values():
        found = [result.search.best.log_prob for result in results]
        assert max(found) <= results[0].truth.probable.log_prob + 1e-6, "float32"


def test_a_dates_outputs_are_too_many_and_the_library_says_so():
    result = of(source="4 august", strategy="exhaustive")
    source = source_of("4 august")
    with pytest.raises(ValueError) as raised:
        decoding.exhaustive_search(source.model, *source.batch, max_new_tokens=11, max_open=1000)
    assert result.search.refusal == str(raised.value)
    assert result.search.best is None and result.levels == () and result.found == ()
    assert not result.truth.exact and answer_to(result) == "billions"
    # 12 characters may stand before the end: digits, the hyphen, the unknown one
    assert result.truth.ended == sum(12**t for t in range(11)) == 67_546_215_517


# ---------------------------------------------------------------- the library's searches


def same(ours, theirs) -> None:
    assert [output.tokens for output in ours] == [output.tokens for output in theirs]
    assert [output.finished for output in ours] == [output.finished for output in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.log_prob == pytest.approx(other.log_prob, rel=1e-5)  # float32 in other batches


@pytest.mark.parametrize("name", [LETTERS, *DATES])
def test_results_are_the_librarys(name):
    source, names = source_of(name), {"source": name}
    longest = {"max_new_tokens": source.steps}
    (greedy,) = decoding.greedy_search(source.model, *source.batch, **longest)
    result = of(**names, strategy="greedy")
    same(result.found, greedy)
    same([result.search.best], greedy)
    for seed, reshape in [(0, Reshape()), (7, Reshape(0.6, 3, 0.95))]:
        (drawn,) = decoding.sample(
            source.model,
            *source.batch,
            num_samples=DRAWS,
            temperature=reshape.temperature,
            top_k=reshape.top_k or None,
            top_p=reshape.top_p,
            generator=torch.Generator().manual_seed(seed),
            **longest,
        )
        search = run(name, "sampling", 1, 0.0, reshape, seed)
        assert search.draws == Counter(tuple(output.tokens) for output in drawn)
        same([search.best], drawn[:1])
    for width, penalty in itertools.product((1, 2, 3, 5), PENALTIES):
        settings = {"num_beams": width, "length_penalty": penalty, **longest}
        (beam,) = decoding.beam_search(source.model, *source.batch, n_best=width, **settings)
        result = of(**names, strategy="beam", width=width, length_penalty=penalty)
        same([result.search.best], beam[:1])
        same(result.found[: len(beam)], beam)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_exhaustive_search_is_the_librarys(penalty):
    result = compute(strategy="exhaustive", length_penalty=penalty)
    theirs = every_output(penalty=penalty)
    same(result.found, theirs)
    assert list(result.scores) == pytest.approx([output.score for output in theirs])
    assert sum(output.finished for output in theirs) == result.truth.ended
    same([result.truth.scored], theirs[:1])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(4, 7),
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.integers(1, 6),
    st.sampled_from(PENALTIES),
)
def test_a_full_beam_finds_what_beam_search_finds(vocab_size, seed, steps, width, penalty):
    source = Source(HashModel(vocab_size, seed, eos_bias=0.5), [3, 2], {}, steps)
    found = full_beam(source.model, source, width)
    settings = {"num_beams": width, "n_best": width, "max_new_tokens": steps}
    (beam,) = decoding.beam_search(source.model, *source.batch, length_penalty=penalty, **settings)
    found.sort(key=lambda h: (-h.log_prob / len(h.tokens) ** penalty, len(h.tokens), h.tokens))
    assert [output.tokens for output in found[: len(beam)]] == [output.tokens for output in beam]


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 6), st.integers(0, 10**6), st.integers(1, 4))
def test_as_many_beams_as_open_outputs_are_exhaustive_search(vocab_size, seed, steps):
    source = Source(HashModel(vocab_size, seed), [3, 2], {}, steps)
    found = full_beam(source.model, source, vocab_size**steps)
    settings = {"max_new_tokens": steps, "n_best": None}
    (every,) = decoding.exhaustive_search(source.model, *source.batch, **settings)
    assert {tuple(output.tokens) for output in found} == {tuple(h.tokens) for h in every}


def test_enough_beams_for_the_letters_are_exhaustive_search():
    """27 prefixes are open at most, with 108 continuations: an end counts among the first k."""
    source = source_of(LETTERS)
    same(full_beam(source.model, source, 108), every_output())
    assert len(full_beam(source.model, source, 81)) < len(every_output()) == 121
    for width, penalty in itertools.product((27, 40), PENALTIES):
        wide = run(LETTERS, "beam", width, penalty)
        same([wide.best], every_output(penalty=penalty)[:1])


def test_costs_are_the_distributions_that_the_library_asks_for():
    class Counting:
        def __init__(self, model):
            self.model, self.rows = model, []

        def start(self, src, src_lengths):
            return self.model.start(src, src_lengths)

        def step(self, tokens, state):
            self.rows.append(len(tokens))
            return self.model.step(tokens, state)

    source = source_of(LETTERS)
    longest = {"max_new_tokens": source.steps}
    for strategy, search, options in (
        ("greedy", decoding.greedy_search, {}),
        ("exhaustive", decoding.exhaustive_search, {}),
        ("beam", decoding.beam_search, {"num_beams": 3}),
    ):
        counting = Counting(four_letters())
        search(counting, *source.batch, **longest, **options)
        result = compute(strategy=strategy, width=3)
        assert result.search.cost_of_best == sum(counting.rows)
        if strategy != "beam":
            assert result.search.costs == tuple(counting.rows)
    assert compute(strategy="exhaustive").search.costs == (1, 3, 9, 27)
    # 3 beams: 1 + 3 + 3 + 3; beam_search drops what cannot beat b• and stops after 1 + 3 + 2
    assert compute(strategy="beam", width=3).search.costs == (1, 3, 3, 3)
    assert compute(strategy="beam", width=3).search.cost_of_best == 6
    assert [compute(strategy="beam", width=3, step=s).cost for s in range(5)] == [0, 1, 4, 7, 10]


# ---------------------------------------------------------------- the tree


def some_searches():
    for name in (LETTERS, "4 august"):
        yield pytest.param(name, {"strategy": "greedy"}, id=f"{name}-greedy")
        for width in (1, 2, 3, 5):
            yield pytest.param(
                name, {"strategy": "beam", "width": width}, id=f"{name}-beam-{width}"
            )
        for reshape in ({}, {"temperature": 0.6}, {"temperature": 2.0}, {"top_k": 2, "top_p": 0.8}):
            yield pytest.param(
                name, {"strategy": "sampling", **reshape}, id=f"{name}-sampling-{reshape}"
            )
    yield pytest.param(LETTERS, {"strategy": "exhaustive"}, id="letters-exhaustive")


@pytest.mark.parametrize(("name", "params"), list(some_searches()))
def test_the_tree_tells_what_became_of_each_continuation(name, params):
    result = of(source=name, **params)
    outputs = {tuple(output.tokens): output for output in result.search.outputs}
    open_before, total = {()}, {(): 0.0}
    for step, level in enumerate(result.search.levels, start=1):
        assert len({node.tokens for node in level}) == len(level)
        assert {node.tokens[:-1] for node in level} == open_before
        for node in level:
            assert len(node.tokens) == step and node.fate in FATES
            assert node.log_prob == pytest.approx(total[node.tokens[:-1]] + math.log(node.prob))
            total[node.tokens] = node.log_prob
            assert (node.fate in ("finished", "cut")) == (node.tokens in outputs)
            if node.tokens in outputs:
                assert outputs[node.tokens].finished == (node.fate == "finished")
                assert outputs[node.tokens].log_prob == pytest.approx(node.log_prob)
            assert (node.fate == "finished") <= (node.tokens[-1] == 2), "only • finishes"
        parents = [node.tokens[:-1] for node in level]
        assert len([*itertools.groupby(parents)]) == len(open_before), "siblings stand together"
        for _, siblings in itertools.groupby(level, key=lambda node: node.tokens[:-1]):
            siblings = list(siblings)
            assert sum(node.share for node in siblings) == pytest.approx(1, abs=1e-2)
            assert [n.prob for n in siblings] == sorted((n.prob for n in siblings), reverse=True)
        open_before = {node.tokens for node in level if node.fate == "kept"}
        if params["strategy"] == "beam":
            assert len(open_before) <= params["width"]
    assert open_before == set(), "all that was open ended or was cut"
    assert len(outputs) == sum(
        n.fate in ("finished", "cut") for v in result.search.levels for n in v
    )


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_a_beam_keeps_the_best_of_all_its_continuations(width):
    for level in compute(strategy="beam", width=width).search.levels[:-1]:
        ranked = sorted(level, key=lambda node: -node.log_prob)
        ends = [node for node in ranked[:width] if node.tokens[-1] == 2]
        others = [node for node in ranked if node.tokens[-1] != 2]
        fates = {fate: {n.tokens for n in level if n.fate == fate} for fate in FATES}
        assert fates["finished"] == {node.tokens for node in ends}
        assert fates["kept"] == {node.tokens for node in others[:width]}


@pytest.mark.parametrize(("name", "params"), list(some_searches()))
def test_what_has_ended_never_changes(name, params):
    before, last = {}, source_of(name).steps
    for step in range(last + 1):
        result = of(source=name, step=step, **params)
        now = {tuple(h.tokens): s for h, s in zip(result.found, result.scores, strict=True)}
        assert before.items() <= now.items()
        assert all(len(tokens) == step for tokens in now.keys() - before.keys())
        assert list(result.scores) == sorted(result.scores, reverse=True)
        assert len(result.levels) == min(step, len(result.search.levels))
        before = now
    assert len(before) == len(result.search.outputs)


@pytest.mark.parametrize("name", [LETTERS, "4 august", "4 aug 99"])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_penalty_ranks_anew_and_finds_nothing_else(name, width):
    trees, orders = set(), set()
    for penalty in PENALTIES:
        result = of(source=name, strategy="beam", width=width, length_penalty=penalty)
        trees.add(result.search.levels)
        orders.add(tuple(text(result, output) for output in result.found))
        for output, score in zip(result.found, result.scores, strict=True):
            assert score == output.log_prob / len(output.tokens) ** penalty
    assert len(trees) == 1 and len({frozenset(order) for order in orders}) == 1
    if name == LETTERS and width == 3:
        assert len({order[0] for order in orders}) == 3, "b•, ab•, acb•"


# ---------------------------------------------------------------- sampling


def p_value(counts: Counter, chances: dict) -> float:
    """Pearson's χ²; outputs that are expected less than five times count together."""
    draws = sum(counts.values())
    cells, rare = [], [0.0, 0.0]
    for tokens, chance in chances.items():
        if draws * chance >= 5:
            cells.append((counts[tokens], draws * chance))
        else:
            rare[0] += counts[tokens]
            rare[1] += draws * chance
    cells += [tuple(rare)] if rare[1] >= 5 else []
    statistic = sum((seen - expected) ** 2 / expected for seen, expected in cells)
    half = torch.tensor([(len(cells) - 1) / 2, statistic / 2], dtype=torch.float64)
    return torch.special.gammaincc(half[0], half[1]).item()


@pytest.mark.parametrize(
    "reshape",
    [Reshape(), Reshape(0.6), Reshape(2.0), Reshape(top_k=2), Reshape(top_p=0.8)],
    ids=str,
)
def test_draws_come_as_often_as_their_chances_say(reshape):
    """2,000 draws with fixed seeds; a right sampler fails one such test in a thousand."""
    counts = Counter()
    for seed in range(100):
        counts.update(run(LETTERS, "sampling", 1, 0.0, reshape, seed).draws)
    outputs = [tuple(output.tokens) for output in every_output()]
    chances = {tokens: chance_of(LETTERS, tokens, reshape) for tokens in outputs}
    assert sum(chances.values()) == pytest.approx(1)
    assert not counts.keys() - {tokens for tokens, chance in chances.items() if chance}
    assert p_value(counts, chances) > 1e-3
    other = Reshape(0.6) if reshape.temperature != 0.6 else Reshape()
    wrong = {tokens: chance_of(LETTERS, tokens, other) for tokens in outputs}
    assert p_value(counts, wrong) < 1e-6, "the test sees a difference where there is one"


def test_draws_at_a_node_are_those_that_pass_through_it():
    search = run(LETTERS, "sampling", 1, 0.0, Reshape(), 3)
    assert sum(search.draws.values()) == DRAWS
    for level in search.levels:
        for node in level:
            passing = [
                n for tokens, n in search.draws.items() if tokens[: len(node.tokens)] == node.tokens
            ]
            assert node.draws == sum(passing)
            assert (node.draws > 0) == (node.fate != "pruned")
    assert sum(node.draws for node in search.levels[0]) == DRAWS


def test_seeds_change_draws_and_a_seed_repeats_them():
    one, other = (run(LETTERS, "sampling", 1, 0.0, Reshape(), seed).draws for seed in (0, 1))
    assert one != other
    run.cache_clear()
    assert run(LETTERS, "sampling", 1, 0.0, Reshape(), 0).draws == one


def test_what_a_search_does_not_know_changes_nothing():
    moves = {
        "width": 4,
        "length_penalty": 1.5,
        "temperature": 0.3,
        "top_k": 1,
        "top_p": 0.5,
        "seed": 9,
    }
    for strategy in STRATEGIES:
        params = {"strategy": strategy, "width": 2}
        base = compute(**params)
        for name, value in moves.items():
            moved = compute(**{**params, name: value})
            unchanged = (moved.search, moved.scores) == (base.search, base.scores)
            assert unchanged == (name not in KNOWS[strategy]), f"{strategy}: {name}"


# ---------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("state", "key", "value", "message"),
    [
        ("greedy", "source", "dates", "source must be one of 'letters', '4 august 1999'"),
        ("two_beams", "width", 6, "width must be an integer in 1 .. 5, but it is 6"),
        ("two_beams", "width", True, "width must be an integer"),
        ("two_beams", "length_penalty", 0.5, "length_penalty must be one of 0.0, 0.6"),
        ("nucleus", "top_k", None, "top_k must be one of 0, 1, 2, 3"),
        ("greedy", "step", 5, "step must be an integer in 0 .. 4"),
        ("greedy", "width", 3, "'width' cannot be moved now"),
    ],
)
def test_values_out_of_range_are_refused(state, key, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        EXPLORER.move(EXPLORER.params(state), key, value)


def test_dates_have_more_steps_and_letters_cut_them():
    params = EXPLORER.move(EXPLORER.params("dates"), "step", 11)
    assert EXPLORER.move(params, "source", LETTERS)["step"] == 4


def test_each_search_is_another_question_and_the_step_and_the_seed_ask_nothing_new():
    def about(**changes):
        return EXPLORER.question({**EXPLORER.params("greedy"), **changes}).about

    assert about() == about(step=2) == about(width=3) != about(strategy="beam")
    assert about(strategy="beam", width=2) != about(strategy="beam", width=3)
    assert about(strategy="sampling", seed=1) == about(strategy="sampling", seed=2)
    assert about() != about(source="4 august")


def test_the_right_answer_is_among_those_offered_and_the_why_names_it():
    for source, strategy in itertools.product((LETTERS, "4 august"), STRATEGIES):
        for penalty in PENALTIES if strategy in ("beam", "exhaustive") else (0.0,):
            for width in range(1, 6) if strategy == "beam" else (1,):
                params = {"strategy": strategy, "width": width, "length_penalty": penalty}
                result = of(source, **params)
                asked = EXPLORER.question({**EXPLORER.params("greedy"), "source": source, **params})
                verdict = EXPLORER.judge(result)
                assert verdict.answer in asked.answers.values() and asked.asks.endswith("?")
                assert verdict.why.endswith(".")
                if source == LETTERS and strategy != "sampling":
                    assert verdict.answer in verdict.why and verdict.answer in OUTPUTS


def test_sampling_says_with_what_it_compares():
    why = EXPLORER.judge(of(strategy="sampling", top_p=0.8)).why
    assert why == (
        "b• comes more often: one draw is it with p = 0.1316, and with p = 0.1125 when nothing is "
        "changed."
    )


@pytest.mark.parametrize(
    ("prob", "written"), [(0.0, "<1"), (0.004, "<1"), (0.95, "95"), (0.9999, ">99"), (1.0, "100")]
)
def test_a_probability_is_never_rounded_to_impossible_or_certain(prob, written):
    assert percent(prob) == written


# ---------------------------------------------------------------- draw


def description(root: ET.Element) -> str:
    return root.find(f"{SVG}desc").text


def some_pictures():
    for name in STATES:
        yield pytest.param(EXPLORER.params(name), id=name)
    for name, params in (
        ("start", {"step": 0}),
        ("middle", {"strategy": "beam", "width": 3, "step": 2}),
        ("exhaustive", {"strategy": "exhaustive", "length_penalty": 1.5}),
        ("widest", {"strategy": "beam", "width": 5, "length_penalty": 1.5}),
        ("all-options", {"strategy": "sampling", "temperature": 2.0, "top_k": 3, "top_p": 0.95}),
        (
            "refused",
            {"source": "4 august 1999", "strategy": "exhaustive"},
        ),
        ("date", {"source": "4 aug 99", "strategy": "beam", "width": 5}),
        ("hot", {"source": "august 4", "strategy": "sampling", "temperature": 2.0, "seed": 5}),
        ("one-way", {"source": "4 august 1999", "strategy": "sampling", "top_k": 1}),
        (
            "greedy-date",
            {"source": "11/12/2013", "strategy": "greedy", "step": 6},
        ),
    ):
        yield pytest.param(params, id=name)


@pytest.mark.parametrize("params", list(some_pictures()))
def test_nothing_is_cut_off_and_nothing_lies_over_something_else(params):
    result = of(**params)
    assert unreadable(parsed(draw(result, veiled=True))) == []
    root = parsed(draw(result))
    width = float(root.get("width"))
    assert unreadable(root) == []
    for node in of_class(root, "node"):
        if node.tag == f"{SVG}circle":
            left, right = (float(node.get("cx")) + s * float(node.get("r")) for s in (-1, 1))
        else:
            left = float(node.get("x"))
            right = left + float(node.get("width"))
        assert left >= 38 and right <= width


@pytest.mark.parametrize("params", list(some_pictures()))
def test_nodes_are_drawn_as_what_they_are_and_the_others_are_counted(params):
    result = of(**params)
    root = parsed(draw(result))
    drawn = {fate: len(of_class(root, "node", fate)) for fate in FATES}
    there = Counter(node.fate for level in result.levels for node in level)
    assert all(drawn[fate] == there[fate] for fate in ("kept", "finished"))
    hidden = sum(int(found[1]) for w in words(root) if (found := re.fullmatch(r"\+(\d+)", w)))
    assert sum(drawn.values()) + hidden == sum(there.values())
    if result.strategy != "exhaustive":
        assert drawn["cut"] == there["cut"]
    if result.source == LETTERS and result.strategy in ("greedy", "beam"):
        assert hidden == 0
    assert any("left out" in w for w in words(root)) == (hidden > 0)
    # shapes, not colours: circles go on or are dashed, squares have ended
    for fate, tag, dashed in (
        ("kept", "circle", False),
        ("pruned", "circle", True),
        ("finished", "rect", False),
        ("cut", "rect", True),
    ):
        for node in of_class(root, "node", fate):
            assert node.tag == f"{SVG}{tag}"
            assert (node.get("stroke-dasharray") is not None) == dashed


def test_a_node_prints_its_numbers_and_tells_its_fate():
    root = parsed(EXPLORER.picture("three_beams"))
    tips = [node.find(f"{SVG}title").text for node in of_class(root, "node")]
    assert "b•: p 0.450, log p of the whole −2.18, finished" in tips
    assert "ac: p 0.360, log p of the whole −1.94, kept, stays open" in tips
    assert any(tip.startswith("•: p 0.050") and tip.endswith("pruned") for tip in tips)
    assert {"0.45 −2.18", "0.36 −1.94", "0.05 −3.00"} <= set(words(root))
    sampled = words(parsed(EXPLORER.picture("temperature")))
    assert any(re.fullmatch(r"0\.40→0\.4\d ×\d+", w) for w in sampled)


def test_the_legend_has_a_word_for_every_shape_that_is_drawn():
    for strategy in STRATEGIES:
        root = parsed(draw(compute(strategy=strategy, width=3)))
        for fate in FATES:
            if of_class(root, "node", fate):
                assert len(of_class(root, "legend", fate)) == 1, f"{strategy}: {fate}"


def test_only_the_steps_so_far_are_drawn_and_nothing_moves():
    def places(step):
        root = parsed(draw(compute(strategy="beam", width=3, step=step)))
        nodes = of_class(root, "node")
        return {
            (n.find(f"{SVG}title").text, n.get("cx") or n.get("x"), n.get("cy") or n.get("y"))
            for n in nodes
        }, len(of_class(root, "now"))

    whole, _ = places(4)
    before = set()
    for step in range(5):
        now, bands = places(step)
        assert before <= now <= whole and bands == (step > 0)
        assert len(now) == [0, 4, 16, 28, 40][step]
        before = now


def test_the_list_is_ranked_and_printed_with_its_numbers():
    root = parsed(EXPLORER.picture("penalty"))
    shown = words(root)
    assert "Found so far, by score = log p / length^0.7" in " ".join(shown)
    start = shown.index("output") - 1
    assert shown[start + 1 : start + 5] == ["output", "log p", "length", "score"]
    assert shown[start + 5 : start + 15] == [
        *("1.", "ab•", "−2.79", "3", "−1.29"),
        *("2.", "b•", "−2.18", "2", "−1.34"),
    ]
    assert "accb (cut)" in shown
    many = words(parsed(draw(compute(strategy="exhaustive"))))
    assert f"{LIST_ROWS}." in many and f"{LIST_ROWS + 1}." not in many and "and 114 more" in many


def test_the_truth_the_costs_and_the_aha_stand_beside():
    def shown(state):
        return " ".join(words(parsed(EXPLORER.picture(state))))

    for line in (
        "Greedy search writes acb•: p = 0.0227",
        "It is not the most probable output: that is b•, p = 0.1125, 5.0 times as much, 2 tokens "
        "instead of 4.",
        "The truth, from all 40 outputs that end:",
        "Most probable: b•, log p −2.18, p 0.1125.",
        "Next-token distributions asked for: 4 of 4.",
    ):
        assert line in shown("greedy")
    assert "It is the most probable output." in shown("three_beams")
    assert "beam_search itself stops after 6: nothing open can win." in shown("three_beams")
    assert "3 beams, α = 0.7: ab• has the best score, p = 0.0612" in shown("penalty")
    assert "Best score, α = 0.7: ab•, −1.29." in shown("penalty")


def test_a_date_has_no_truth_and_the_wide_beam_is_called_what_it_is():
    shown = words(parsed(EXPLORER.picture("dates")))
    assert "The truth is out of reach: 67,546,215,517 outputs." in shown
    assert "Instead, the best that 50 beams find (there may be a better one):" in shown
    assert not any("most probable output" in w for w in shown)
    refused = " ".join(words(parsed(draw(of(source="4 august", strategy="exhaustive")))))
    assert "Exhaustive search refuses: there are too many outputs" in refused
    assert of(source="4 august", strategy="exhaustive").search.refusal in refused


def test_before_the_prediction_the_model_is_shown_and_the_answer_is_not():
    for name in STATES:
        result = compute(**EXPLORER.params(name))
        root = parsed(draw(result, veiled=True))
        shown = " ".join([*words(root), description(root)])
        assert len(of_class(root, "veil")) == 1 and of_class(root, "node") == []
        assert text(result, result.search.best) not in shown
        assert text(result, result.truth.probable) not in shown, name
        assert ("0.36" in shown) == (result.source == LETTERS)
        opened = parsed(draw(result))
        assert of_class(opened, "veil") == [] and opened.get("height") == root.get("height")


def test_the_table_is_the_model():
    shown = words(parsed(draw(compute(), veiled=True)))
    assert shown[:5] == ["p(next token)", "a", "b", "c", "•"]
    assert shown[5:10] == ["at the start", "0.40", "0.25", "0.30", "0.05"]
    assert shown[15:20] == ["after b", "0.25", "0.20", "0.10", "0.45"]


def test_the_winner_is_printed_when_the_search_is_done_and_not_before():
    for step in range(4):
        root = parsed(draw(compute(strategy="beam", width=1, step=step)))
        shown = " ".join([*words(root), description(root)])
        assert "acb•" not in shown and "b•" not in shown and "truth" not in shown.lower()
    heights = {draw(compute(strategy="beam", width=3, step=s)).split('"')[5] for s in range(5)}
    assert len(heights) == 1, "nothing jumps while it plays"


def test_title_and_description_tell_the_whole_story():
    root = parsed(EXPLORER.picture("two_beams"))
    assert root[0].tag == f"{SVG}title" and root[0].text == "2 beams find ab•: p = 0.0612"
    assert root[1].tag == f"{SVG}desc"
    for part in (
        "at the start a 0.40, b 0.25, c 0.30, • 0.05",
        "Beam search, width 2, length penalty 0.",
        "Step 1: kept a, c; 2 pruned.",
        "Step 3: kept acb, acc; finished ab•; 5 pruned.",
        "ab•, log p −2.79, length 3, score −2.79",
        "Most probable: b•, log p −2.18",
    ):
        assert part in root[1].text


@pytest.mark.parametrize("name", STATES)
def test_one_hue_on_a_paper_of_its_own_for_dark_pages(name):
    root = parsed(EXPLORER.picture(name))
    paper = root.find(f"{SVG}rect")
    assert (paper.get("width"), paper.get("fill")) == ("100%", "#ffffff")
    colours = {e.get(a) for e in root.iter() for a in ("fill", "stroke")} - {None, "none"}
    for colour in colours:
        red, green, blue = bytes.fromhex(colour[1:])
        assert red == green == blue or red < green < blue, f"{colour} is neither grey nor blue"
    assert {t.get("fill") for t in root.iter(f"{SVG}text")} <= {svg.INK, svg.GREY}
