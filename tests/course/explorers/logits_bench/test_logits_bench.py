"""The logits bench: five lines as torch computes them, floors, verdicts, its picture as XML."""

import gzip
import json
import math
import time

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib.course.explorers.kit.table import LIMIT, table
from seq2seq_lib.course.explorers.logits_bench import EXPLORER, compute, draw
from seq2seq_lib.course.explorers.logits_bench.compute import CODE, WORDS
from seq2seq_lib.course.explorers.logits_bench.picture import number
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

SETTINGS = st.fixed_dictionaries(
    {
        "logits": st.sampled_from(["row", "shifted", "uniform", "perfect", "wrong", "own"]),
        "target": st.integers(0, 4),
        "temperature": st.sampled_from([0.5, 0.6, 1.0, 2.0]),
        "vocab": st.sampled_from([5, 6, 14, 300]),
        "smoothing": st.sampled_from([0.0, 0.1]),
        "own": st.tuples(*[st.integers(-10, 10)] * 5),
    }
)


def row_of(result):
    """The whole row ``[V]`` in float64: the words without a name have one vote."""
    more = 100.0 if result.logits_name == "shifted" else 0.0
    others = [more] * (result.vocab - len(WORDS))
    return torch.tensor([*result.logits, *others], dtype=torch.float64)


def picks(z, y, smoothing):
    """Minus the mean under q of each row of numbers."""
    q = F.one_hot(torch.tensor(y), len(z)).double() * (1 - smoothing) + smoothing / len(z)
    return lambda numbers: -(q * numbers).sum()


# ---------------------------------------------------------------- compute


@given(SETTINGS)
def test_the_code_that_is_shown_is_the_code_that_runs(params):
    result = compute(**params)
    z = (row_of(result) / result.temperature).requires_grad_()
    pick, y = picks(z, result.target, result.smoothing), torch.tensor(result.target)
    names = {"z": z, "y": y, "softmax": lambda a: a.softmax(-1)}
    names["log_softmax"] = lambda a: a.log_softmax(-1)
    names["nll_loss"] = lambda a, y: pick(a)
    names["cross_entropy"] = lambda a, y: F.cross_entropy(a, y, label_smoothing=result.smoothing)
    for name, code in CODE.items():
        loss = eval(code, dict(names))
        assert result.losses[name] == pytest.approx(loss.item(), abs=1e-9), name
        if name in result.gradients:
            (slope,) = torch.autograd.grad(loss, z)
            due = (slope / result.temperature)[: len(WORDS)].tolist()
            assert result.gradients[name] == pytest.approx(due, abs=1e-9)


@given(SETTINGS)
def test_shares_entropy_and_log_sum_exp_are_those_of_the_whole_row(params):
    result = compute(**params)
    z = row_of(result) / result.temperature
    p = z.softmax(-1)
    assert result.shares == pytest.approx(p[:5].tolist(), abs=1e-12)
    assert result.entropy == pytest.approx(torch.special.entr(p).sum().item(), abs=1e-9)
    assert result.log_sum == pytest.approx(z.logsumexp(-1).item())


@given(SETTINGS)
def test_no_loss_is_below_its_floor_and_line_4_has_one_nat_of_room(params):
    result = compute(**params)
    for name, floor in result.floor.items():
        assert result.losses[name] > floor - 1e-9
    if not result.smoothing:
        least = math.log(math.e + result.vocab - 1) - 1
        assert result.floor == pytest.approx({"ce": 0.0, "s_ce": least})
        assert least - 1e-9 <= result.losses["s_ce"] <= least + 1 + 1e-9
        assert -1 <= result.losses["s_nll"] <= 0


@pytest.mark.parametrize("smoothing", [0.1, 0.3])
@pytest.mark.parametrize("vocab", [5, 14, 10_000])
def test_the_floor_of_a_smoothed_line_4_is_the_least_over_a_grid(vocab, smoothing):
    share = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    rest = (1 - share) / (vocab - 1)
    log_sum = (share.exp() + (vocab - 1) * rest.exp()).log()
    q = 1 - smoothing + smoothing / vocab
    least = (log_sum - q * share - (1 - q) * rest).min().item()
    assert compute(vocab=vocab, smoothing=smoothing).floor["s_ce"] == pytest.approx(least, abs=1e-8)


@given(SETTINGS)
def test_the_first_three_lines_agree_and_the_verdict_is_what_is_measured(params):
    result = compute(**params)
    assert result.same[:3] == ("ce", "ls_nll", "ls_ls_nll")
    verdict, question = EXPLORER.judge(result), EXPLORER.question(params)
    assert verdict.answer in question.answers.values()
    assert len(verdict.why) < 200


def test_equal_shares_make_line_4_agree_by_luck():
    result = compute(logits="uniform")
    assert result.same == ("ce", "ls_nll", "ls_ls_nll", "s_ce")
    assert result.losses["ce"] == pytest.approx(math.log(5))
    assert "by luck" in EXPLORER.judge(result).why


@pytest.mark.parametrize(
    ("state", "losses"),
    [
        ("row", (1.2040, 1.5181, -0.3)),
        ("perfect", (0.0, 0.9048, -1.0)),
        ("sure_and_wrong", (8.0013, 1.9042, -0.0003)),
        ("cool", (1.1445, 1.5096, -0.3184)),
        ("large_vocabulary", (7.4201, 9.2098, -0.0006)),
        ("smoothed", (8.0, 0.9848, -0.92)),
    ],
)
def test_states_have_the_numbers_of_the_chapter(state, losses):
    result = compute(**EXPLORER.params(state))
    assert [result.losses[n] for n in ("ce", "s_ce", "s_nll")] == pytest.approx(losses, abs=1e-4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"logits": "own", "own": (math.nan, 0, 0, 0, 0)}, "finite"),
        ({"logits": "own", "own": (math.inf, 0, 0, 0, 0)}, "finite"),
        ({"logits": "own", "own": (0, 0)}, "own must be 5 logits"),
        ({"logits": "noise"}, "Valid: 'row'"),
        ({"temperature": 0.0}, "above 0"),
        ({"temperature": -1.0}, "above 0"),
        ({"temperature": math.nan}, "above 0"),
        ({"target": 5}, "0 .. 4"),
        ({"target": -1}, "0 .. 4"),
        ({"vocab": 4}, "at least 5"),
        ({"smoothing": 1.0}, "ε in"),
        ({"smoothing": math.nan}, "ε in"),
    ],
)
def test_bad_input_is_refused_in_words(wrong, said):
    with pytest.raises(ValueError, match=said):
        compute(**wrong)


# ---------------------------------------------------------------- draw


def some_params():
    for state in EXPLORER.states:
        yield EXPLORER.params(state)
    yield EXPLORER.defaults() | {"logits": "own", "own": (-10, 10, 10, -10, 0)}
    yield EXPLORER.defaults() | {"logits": "wrong", "temperature": 0.5, "target": 0, "vocab": 14}


@pytest.mark.parametrize("params", list(some_params()), ids=str)
def test_everything_is_drawn_and_nothing_is_cut_off(params):
    result = compute(**params)
    root = parsed(draw(result))
    counts = {kind: len(of_class(root, kind)) for kind in ("share", "loss", "push")}
    assert counts == {"share": 5, "loss": 5, "push": 10}
    width, height = float(root.get("width")), float(root.get("height"))
    for rect in root.iter(f"{SVG}rect"):
        if rect.get("x"):
            assert 0 <= float(rect.get("x")) <= width - float(rect.get("width")) + 0.1
            assert 0 <= float(rect.get("y")) <= height - float(rect.get("height")) + 0.1
    for text in root.iter(f"{SVG}text"):
        assert 0 < float(text.get("y")) < height - 2
    assert unreadable(root) == []


def test_bars_are_as_long_as_the_losses_and_what_differs_is_hatched():
    result = compute(logits="wrong")
    root = parsed(draw(result))
    bars = of_class(root, "loss")
    unit = float(bars[0].get("width")) / result.losses["ce"]
    for bar, loss in zip(bars, result.losses.values(), strict=True):
        assert float(bar.get("width")) == pytest.approx(max(1.0, abs(loss) * unit), abs=0.15)
    hatched = len(of_class(root, "pad"))
    assert hatched == 2 + 5, "two losses that differ, and line 4's five pushes"


def test_the_headline_and_the_description_hold_the_numbers():
    root = parsed(EXPLORER.picture("row"))
    assert root[0].text == "Lines 1, 2 and 3 give 1.204"
    for shown in ("1.204", "1.518", "−0.300", "0.905", "0.7000", "0.2095"):
        assert shown in root[1].text, shown
    shown = words(root)
    assert "line 1 = log-sum-exp − z[y] = 2.996 − 1.792" in shown


def test_before_the_prediction_nothing_gives_the_answer_away():
    for name in EXPLORER.states:
        result = compute(**EXPLORER.params(name))
        root = parsed(draw(result, veiled=True))
        said = " ".join([*words(root), root.find(f"{SVG}desc").text])
        assert of_class(root, "loss") == [] and len(of_class(root, "veil")) == 1
        row = {number(value) for value in (*result.shares, result.entropy)}
        for loss in {number(loss) for loss in result.losses.values()} - row:
            assert loss not in said
        assert root.get("height") == parsed(draw(result)).get("height")


# ---------------------------------------------------------------- the panel


def test_every_control_changes_the_picture():
    for control in EXPLORER.all_controls():
        params = EXPLORER.params("row")
        if control.name == "own":
            params = EXPLORER.move(params, "logits", "own")
        other = [v for v in control.values(params) if v != control.get(params)][-1]
        moved = EXPLORER.move(params, control.key, other)
        assert EXPLORER.view(moved)["open"] != EXPLORER.view(params)["open"], control.key


def test_own_logits_are_asked_for_only_where_they_matter():
    keys = [d["key"] for row in EXPLORER.view(EXPLORER.params("row"))["rows"] for d in row]
    assert not [key for key in keys if key.startswith("own")]


def test_the_table_of_a_page_without_a_kernel_is_small():
    made = table(EXPLORER)
    assert len(made["views"]) == 360
    assert len(gzip.compress(json.dumps(made).encode())) < LIMIT


def test_a_picture_is_quick():
    times = []
    for _ in range(5):
        for name in EXPLORER.states:
            started = time.perf_counter()
            draw(compute(**EXPLORER.params(name)))
            times.append(time.perf_counter() - started)
    assert sorted(times)[len(times) * 95 // 100] < 0.05
