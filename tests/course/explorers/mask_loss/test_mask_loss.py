"""The mask and loss calculator: numbers by hand and by law, what is asked, the picture as XML."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib import losses, masks
from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.mask_loss import EXPLORER, OUTCOMES, compute, draw
from seq2seq_lib.course.explorers.mask_loss.compute import (
    AT_PAD,
    DIVISORS,
    HAND_LENGTHS,
    MASKS,
)
from seq2seq_lib.vocab import PAD_ID
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

RIGHT = [("right", "tokens"), ("right", "sentences"), ("right", "sum")]
WRONG = [pair for pair in itertools.product(MASKS, DIVISORS) if pair not in RIGHT]
LENGTHS = st.tuples(*[st.integers(1, 5)] * 3)


def widths(lengths):
    return st.integers(max(lengths), 6)


def of_state(name):
    return compute(**EXPLORER.params(name))


# ---------------------------------------------------------------- compute


@pytest.mark.parametrize(
    ("state", "value"),
    [
        ("naive", (22 + 4 * 8) / 15),
        ("naive_plus_10_pads", (22 + 34 * 8) / 45),
        ("right", 22 / 11),
        ("right_plus_10_pads", 22 / 11),
        ("transposed", (1 + 2 + 1 + 4 + 8 + 1) / 6),
        ("positions", 54 / 15),
        ("broadcast", 54 / 15),
        ("padded_mean", 22 / 15),
        ("padded_mean_plus_10_pads", 22 / 45),
        ("per_sentence", (6 / 4 + 9 / 2 + 7 / 5) / 3),
        ("sum", 22.0),
    ],
)
def test_states_have_the_values_that_one_gets_by_hand(state, value):
    """Losses 1 2 1 2 | 4 5 | 1 2 1 2 1, and 8 at each pad."""
    assert of_state(state).value == pytest.approx(value, rel=1e-12)


def test_the_hand_batch_is_the_one_of_chapter_4():
    result = compute()
    assert result.lengths == HAND_LENGTHS == (4, 2, 5)
    assert result.losses == ((1, 2, 1, 2, 8), (4, 5, 8, 8, 8), (1, 2, 1, 2, 1))
    cells = [[result.word(b, t) for t in range(5)] for b in range(3)]
    assert cells[0] == ["ich", "liebe", "dich", "EOS", "PAD"]
    assert cells[1] == ["danke", "EOS", "PAD", "PAD", "PAD"]
    assert cells[2] == ["ich", "weiß", "es", "nicht", "EOS"]


def test_the_transposed_mask_has_as_many_ones_raises_nothing_and_counts_a_pad():
    wrong = of_state("transposed")
    right = compute(**{**EXPLORER.params("transposed"), "mask": "right"})
    assert right.divided_by == wrong.divided_by == 6
    assert wrong.error == "" and wrong.value != right.value
    assert wrong.gradient[1][2] == pytest.approx(1 / 6), "position 2 of B is PAD"
    assert wrong.gradient[2][1] == 0, "position 1 of C is real"


def test_where_the_shapes_do_not_fit_there_is_pytorchs_message_and_no_number():
    result = of_state("transposed_b_not_t")
    assert (result.value, result.gradient, result.terms) == (None, None, ())
    assert result.mask_shape == (5, 3)
    with pytest.raises(RuntimeError) as raised:
        torch.zeros(3, 5) * torch.zeros(5, 3)
    assert result.error == str(raised.value)


@given(LENGTHS, st.data())
def test_the_right_loss_is_the_librarys(lengths, data):
    width, extra = data.draw(widths(lengths)), data.draw(st.integers(0, 10))
    here = {"lengths": lengths, "width": width, "extra_pads": extra, "mask": "right"}
    result = compute(**here, divisor="tokens")
    nll = torch.tensor(result.losses, dtype=torch.float64)  # [B, T]
    # logits of three classes with these losses: the other two share what is left
    rest = ((1 - (-nll).exp()) / 2).log()
    logits = torch.stack([rest, -nll, rest], dim=-1)  # [B, T, V]
    mask = masks.sequence_mask(torch.tensor(lengths), width + extra)
    loss = losses.sequence_loss(logits, torch.ones_like(nll, dtype=torch.int64), mask)
    assert result.mask_shape == tuple(mask.shape)
    assert result.divided_by == loss.tokens == len(result.terms)
    assert result.value == pytest.approx(loss.mean.item(), rel=1e-12)
    assert compute(**here, divisor="sum").value == pytest.approx(loss.total.item(), rel=1e-12)


@given(LENGTHS, st.sampled_from(RIGHT), st.data())
def test_extra_pads_change_neither_a_right_loss_nor_its_gradient(lengths, pair, data):
    width, extra = data.draw(widths(lengths)), data.draw(st.integers(1, 10))
    here = {"lengths": lengths, "width": width, "mask": pair[0], "divisor": pair[1]}
    before, after = compute(**here), compute(**here, extra_pads=extra)
    assert after.curve == (before.value,) * 11 and after.value == before.value == before.target
    assert before.outcome == after.outcome == "same"
    for b in range(3):
        assert after.gradient[b][:width] == before.gradient[b]
        assert set(after.gradient[b][width:]) == {0.0}, "a pad has no gradient"


@given(LENGTHS, st.sampled_from(WRONG), st.data())
def test_extra_pads_give_every_wrong_loss_away(lengths, pair, data):
    mask, divisor = pair
    width = data.draw(widths(lengths))
    result = compute(lengths=lengths, width=width, mask=mask, divisor=divisor)
    assert result.outcome != "same"
    assert result.outcome in OUTCOMES.values()


@given(LENGTHS, st.sampled_from(list(MASKS)), st.sampled_from(list(DIVISORS)), st.data())
def test_the_code_that_is_shown_is_the_code_that_runs(lengths, mask, divisor, data):
    width, extra = data.draw(widths(lengths)), data.draw(st.integers(0, 10))
    result = compute(lengths=lengths, width=width, extra_pads=extra, mask=mask, divisor=divisor)
    nll = torch.tensor(result.losses, dtype=torch.float64, requires_grad=True)
    names = {"torch": torch, "PAD_ID": PAD_ID, "lengths": torch.tensor(lengths), "losses": nll}
    names |= {"B": 3, "T": width + extra}
    try:
        exec("\n".join(result.code), names)
    except RuntimeError as error:
        assert result.value is None and result.error == str(error)
        return
    loss = names["loss"]
    assert result.mask_shape == (tuple(names["mask"].shape) if mask != "none" else ())
    assert result.value == pytest.approx(loss.item(), rel=1e-12, nan_ok=True)
    assert result.curve[extra] == pytest.approx(loss.item(), rel=1e-12, nan_ok=True)
    assert sum(result.terms) / result.divided_by == pytest.approx(loss.item(), nan_ok=True)
    (gradient,) = torch.autograd.grad(loss, nll)
    torch.testing.assert_close(
        torch.tensor(result.gradient, dtype=torch.float64), gradient, equal_nan=True
    )


def test_what_a_divisor_weighs():
    def shares(divisor):
        rows = compute(mask="right", divisor=divisor).gradient
        return [sum(row) / sum(map(sum, rows)) for row in rows]

    assert shares("tokens") == pytest.approx([4 / 11, 2 / 11, 5 / 11])
    assert shares("sentences") == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert shares("sum") == pytest.approx(shares("tokens"))
    assert shares("cells") == pytest.approx(shares("tokens"))


# ---------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("state", "answer", "why"),
    [
        ("naive", "larger", "Every new cell counts as data: from 3.60 to 6.53."),
        ("right", "same", "PAD counts in neither the sum nor the divisor: it stays at 2.00."),
        ("padded_mean", "smaller", "from 1.47 to 0.49"),
        ("transposed", "mixed", "5 of 6, and 1 of 3 PAD cells. B = T"),
        ("transposed_b_not_t", "nothing", "The mask is [5, 3], the losses are [3, 5]: an error."),
        ("positions", "larger", "from 3.60 to 6.53"),
        ("broadcast", "larger", "[B·T, 1] against [B·T] keeps all losses"),
    ],
)
def test_the_verdict_names_the_reason(state, answer, why):
    verdict = EXPLORER.judge(of_state(state))
    assert verdict.answer == answer and why in verdict.why


@given(st.tuples(*[st.integers(1, 3)] * 3), st.sampled_from(list(DIVISORS)), st.integers(0, 10))
def test_what_a_transposed_mask_counts_is_what_the_gradient_says(lengths, divisor, extra):
    """The question is about the batch before columns are added, wherever the slider stands."""
    here = {"mask": "transposed", "divisor": divisor, "lengths": lengths, "width": 3}
    verdict = EXPLORER.judge(compute(**here, extra_pads=extra))
    counted = compute(**here).gradient
    pads = [w > 0 for b in range(3) for w in counted[b][lengths[b] :]]
    real = [w > 0 for b in range(3) for w in counted[b][: lengths[b]]]
    if math.isnan(sum(map(sum, counted))):
        assert verdict.answer == "nothing" and verdict.why.endswith("0 / 0 is nan.")
    elif any(pads):
        assert verdict.answer == "mixed"
        assert verdict.why.startswith(f"{sum(real)} of {len(real)}, and {sum(pads)} of {len(pads)}")
    else:
        assert verdict.answer == "right" and all(real)


def test_a_transposed_mask_is_asked_what_it_counts_not_what_columns_do_that_it_cannot_meet():
    question = EXPLORER.question(EXPLORER.params("transposed"))
    assert (
        "Of the 6 real tokens in 3 columns" in question.asks and "PAD columns" not in question.asks
    )
    assert EXPLORER.judge(of_state("transposed")).answer in question.answers.values()


def test_the_code_is_what_the_question_is_about():
    asked = {
        EXPLORER.question({**EXPLORER.params("naive"), "mask": mask, "divisor": divisor}).about
        for mask, divisor in itertools.product(MASKS, DIVISORS)
    }
    assert len(asked) == len(MASKS) * len(DIVISORS)
    one, other = ({**EXPLORER.params("naive"), "extra_pads": extra} for extra in (0, 7))
    assert EXPLORER.question(one) == EXPLORER.question(other)


def test_a_longer_sentence_widens_the_batch_and_a_locked_width_cuts_it():
    params = EXPLORER.params("transposed")
    assert EXPLORER.move(params, "lengths[1]", 5)["width"] == 5
    locked = EXPLORER.move(params, "lengths[1]", 5, {"width"})
    assert locked["width"] == 3 and locked["lengths"] == (3, 3, 2)
    with pytest.raises(ValueError, match=r"width must be an integer in 3 \.\. 6, but it is 2"):
        EXPLORER.move(params, "width", 2)


# ---------------------------------------------------------------- draw


def some_params():
    for name in EXPLORER.states:
        yield pytest.param(EXPLORER.params(name), id=name)
    for mask, divisor in itertools.product(MASKS, DIVISORS):
        widest = {"lengths": (5, 5, 5), "width": 6, "extra_pads": 10}
        yield pytest.param(
            {**widest, "mask": mask, "divisor": divisor}, id=f"widest-{mask}-{divisor}"
        )


@pytest.mark.parametrize("params", list(some_params()))
def test_every_cell_is_drawn_exactly_the_pads_are_hatched_and_nothing_is_cut_off(params):
    result = compute(**params)
    for veiled in (False, True):
        root = parsed(draw(result, veiled=veiled))
        assert unreadable(root) == []
        assert root.get("width") == str(svg.WIDTH)
        cells = of_class(root, "cell")
        assert len(cells) == 3 * result.width
        pads = [cell for cell in cells if ", PAD: " in cell.find(f"{SVG}title").text]
        assert len(pads) == 3 * result.width - sum(result.lengths)
        corners = {(float(cell.get("x")), float(cell.get("y"))) for cell in pads}
        lowest = max(float(cell.get("y")) for cell in cells)
        hatched = set()
        for path in of_class(root, "pad"):
            x, y = map(float, path.get("d").split("L")[0].removeprefix("M").split())
            if y < lowest + 36:
                hatched.add(min(corners, key=lambda c: abs(c[0] - x) + abs(c[1] + 3 - y)))
        assert hatched == corners


def test_the_division_stands_there_with_its_numbers_and_units():
    for state, line in {
        "naive": "15 values: (1 + 2 + 1 + 2 + 8 + … + 1) / 15 = 54 / 15 = 3.60",
        "right": "11 values: (1 + 2 + 1 + 2 + 4 + … + 1) / 11 = 22 / 11 = 2.00",
        "transposed": "(1 + 2 + 1 + 4 + 8 + 1) / 6 = 17 / 6 = 2.83",
        "per_sentence": "(1.50 + 4.50 + 1.40) / 3 = 7.40 / 3 = 2.47",
        "sum": "11 values: 1 + 2 + 1 + 2 + 4 + … + 1 = 22",
    }.items():
        assert line in words(parsed(EXPLORER.picture(state))), state
    headlines = {state: parsed(EXPLORER.picture(state))[0].text for state in EXPLORER.states}
    assert headlines["naive"] == "loss = 3.60 nats per cell"
    assert headlines["right"] == "loss = 2.00 nats per token"
    assert headlines["sum"] == "loss = 22.00 nats"
    assert headlines["transposed_b_not_t"] == "No loss: PyTorch raises a RuntimeError"


def test_code_shares_legend_and_axis_are_printed():
    root = parsed(EXPLORER.picture("transposed"))
    shown = words(root)
    code = of_state("transposed").code
    assert code[0] + "  # [3, 3]" in shown and {code[1], code[2]} <= set(shown)
    assert {"50", "33, 17 at PAD", "17", "the right loss: 1.83"} <= set(shown)
    assert {"loss, nats per token", "extra PAD columns", "does not count", "PAD"} <= set(shown)
    assert "Counted: 5 of 6 real tokens and 1 of 3 PAD cells." in shown
    assert "share of the weights, %" in shown and "gradient" not in " ".join(shown)
    (missing,) = [t for t in root.iter(f"{SVG}text") if t.text == "an error with 1 to 10"]
    lines = [line.get("points").split() for line in root.iter(f"{SVG}polyline")]
    levels = [float(ends[0].split(",")[1]) for ends in lines]
    assert all(abs(float(missing.get("y")) - 4 - level) > 8 for level in levels), "on a line"
    assert root.find(f"{SVG}desc").text.endswith("B 33 %, 17 % at PAD; C 17 %, 0 % at PAD.")


def test_what_counts_has_an_outline_that_a_dark_page_makes_brighter():
    """A light fill of blue over black is hard to see; ``panel.css`` brightens blue strokes."""
    root = parsed(EXPLORER.picture("naive"))
    filled = [r for r in root.iter(f"{SVG}rect") if r.get("fill") == svg.BLUE]
    assert len(filled) == 15 + 1 + 3 and {r.get("stroke") for r in filled} == {svg.BLUE}


def test_the_curve_has_a_mark_for_each_number_of_columns():
    root = parsed(EXPLORER.picture("padded_mean_plus_10_pads"))
    (*others, legend) = root.iter(f"{SVG}circle")
    heights = [float(dot.get("cy")) for dot in others]
    assert len(heights) == 11 and heights == sorted(heights), "it falls, and y points down"
    assert [dot.get("r") for dot in others] == ["3.5"] * 10 + ["6"], "the last one is where we are"
    flat = [dot.get("cy") for dot in parsed(EXPLORER.picture("right")).iter(f"{SVG}circle")]
    assert len(set(flat[:11])) == 1


def test_before_the_prediction_nothing_gives_the_answer_away():
    for name in EXPLORER.states:
        result = of_state(name)
        veiled = parsed(draw(result, veiled=True))
        shown = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
        assert len(of_class(veiled, "veil")) == 1 and list(veiled.iter(f"{SVG}circle")) == []
        assert of_class(veiled, "share") == of_class(veiled, "counts") == []
        tips = [cell.find(f"{SVG}title").text for cell in of_class(veiled, "cell")]
        assert not any("weight" in tip for tip in tips)
        for number in (result.value, result.target):
            if number is not None and not math.isnan(number):
                assert f"{number:.2f}" not in shown
        opened = parsed(draw(result))
        assert veiled.get("height") == opened.get("height"), "nothing jumps when it opens"


def test_a_pad_costs_more_than_any_word():
    real = [
        loss
        for b, row in enumerate(compute(lengths=(5, 5, 5)).losses)
        for loss in row[: compute(lengths=(5, 5, 5)).lengths[b]]
    ]
    assert max(real) < AT_PAD
