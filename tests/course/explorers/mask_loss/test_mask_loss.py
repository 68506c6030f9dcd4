"""The mask and loss calculator: numbers by value and by law, the picture as XML, the widget.

What all explorers share (predict, reveal, lock, filmstrip) is tested here on this one; the browser
is in test_browser_explorers.py.
"""

import itertools
import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import losses, masks
from seq2seq_lib.course.explorers.kit import svg, widget
from seq2seq_lib.course.explorers.mask_loss import (
    EXPLORER,
    MASKS,
    NORMALISERS,
    OUTCOMES,
    STATES,
    compute,
    draw,
    explore,
)
from seq2seq_lib.vocab import PAD_ID
from tests.support.pictures import SVG, colour, luminance, of_class, parsed, unreadable, words

RIGHT = [("right", "tokens"), ("right", "sentences"), ("right", "sum")]
WRONG = [pair for pair in itertools.product(MASKS, NORMALISERS) if pair not in RIGHT]
LENGTHS = st.tuples(*[st.integers(1, 5)] * 3)


def widths(lengths):
    return st.integers(max(lengths), 6)


# ---------------------------------------------------------------- compute


@pytest.mark.parametrize(
    ("state", "value"),
    [
        ("right", 9 / 6),
        ("right_plus_10_pads", 9 / 6),
        ("transposed", 14.5 / 6),
        ("blog", 24 / 9),
        ("broadcast", 24 / 9),
        ("padded_mean", 9 / 9),
        ("padded_mean_plus_10_pads", 9 / 39),
        ("per_sentence", (1.5 + 2.5 + 1.0) / 3),
        ("sum", 9.0),
    ],
)
def test_states_have_the_values_that_one_gets_by_hand(state, value):
    """Losses 0.5 1.0 3.0 | 2.5 | 1.5 0.5, at the pads 4 6 | 5."""
    assert compute(**STATES[state].params).value == pytest.approx(value, rel=1e-12)


def test_the_transposed_mask_has_as_many_ones_raises_nothing_and_counts_a_pad():
    right, wrong = (compute(**STATES[name].params) for name in ("right", "transposed"))
    assert right.divisor == wrong.divisor == 6 and len(right.terms) == len(wrong.terms) == 6
    assert wrong.error == "" and wrong.value != right.value
    assert wrong.gradient[1][2] == pytest.approx(1 / 6), "position 2 of B is PAD"
    assert wrong.gradient[2][1] == 0, "position 1 of C is real"


def test_where_the_shapes_do_not_fit_there_is_pytorchs_message_and_no_number():
    result = compute(**STATES["transposed_b_not_t"].params)
    assert (result.value, result.gradient, result.terms) == (None, None, ())
    assert result.mask_shape == (4, 3)
    with pytest.raises(RuntimeError) as raised:
        torch.zeros(3, 4) * torch.zeros(4, 3)
    assert result.error == str(raised.value)


@given(LENGTHS, st.data())
def test_the_right_loss_is_the_librarys(lengths, data):
    width, extra = data.draw(widths(lengths)), data.draw(st.integers(0, 10))
    result = compute(lengths=lengths, width=width, extra_pads=extra)
    nll = torch.tensor(result.losses, dtype=torch.float64)  # [B, T]
    # logits of three classes with these losses: the other two share what is left
    rest = ((1 - (-nll).exp()) / 2).log()
    logits = torch.stack([rest, -nll, rest], dim=-1)  # [B, T, V]
    mask = masks.sequence_mask(torch.tensor(lengths), width + extra)
    loss = losses.sequence_loss(logits, torch.ones_like(nll, dtype=torch.int64), mask)
    assert result.mask_shape == tuple(mask.shape)
    assert result.divisor == loss.tokens == len(result.terms)
    assert result.value == pytest.approx(loss.mean.item(), rel=1e-12)
    summed = compute(lengths=lengths, width=width, extra_pads=extra, normaliser="sum")
    assert summed.value == pytest.approx(loss.total.item(), rel=1e-12)


@given(LENGTHS, st.sampled_from(RIGHT), st.data())
def test_extra_pads_change_neither_a_right_loss_nor_its_gradient(lengths, pair, data):
    width, extra = data.draw(widths(lengths)), data.draw(st.integers(1, 10))
    mask, normaliser = pair
    here = {"lengths": lengths, "width": width, "mask": mask, "normaliser": normaliser}
    before, after = compute(**here), compute(**here, extra_pads=extra)
    assert after.curve == (before.value,) * 11 and after.value == before.value == before.target
    assert before.outcome == after.outcome == "same"
    for b in range(3):
        assert after.gradient[b][:width] == before.gradient[b]
        assert set(after.gradient[b][width:]) == {0.0}, "a pad has no gradient"


@given(LENGTHS, st.sampled_from(WRONG), st.data())
def test_extra_pads_give_every_wrong_loss_away(lengths, pair, data):
    mask, normaliser = pair
    width = data.draw(widths(lengths))
    result = compute(lengths=lengths, width=width, mask=mask, normaliser=normaliser)
    numbers = {value for value in result.curve if value is not None and not math.isnan(value)}
    assert result.outcome != "same"
    assert len(numbers) != 1 or len(result.curve) > sum(v in numbers for v in result.curve)


@given(LENGTHS, st.sampled_from(list(MASKS)), st.sampled_from(list(NORMALISERS)), st.data())
def test_the_code_that_is_shown_is_the_code_that_runs(lengths, mask, normaliser, data):
    width, extra = data.draw(widths(lengths)), data.draw(st.integers(0, 10))
    result = compute(
        lengths=lengths, width=width, extra_pads=extra, mask=mask, normaliser=normaliser
    )
    nll = torch.tensor(result.losses, dtype=torch.float64, requires_grad=True)
    names = {"torch": torch, "PAD_ID": PAD_ID, "lengths": torch.tensor(lengths), "losses": nll}
    names |= {"B": 3, "T": width + extra}
    try:
        exec("\n".join(result.code), names)
    except RuntimeError as error:
        assert result.value is None and result.error == str(error)
        return
    loss = names["loss"]
    assert tuple(names["mask"].shape) == result.mask_shape
    assert result.value == pytest.approx(loss.item(), rel=1e-12, nan_ok=True)
    assert result.curve[extra] == pytest.approx(loss.item(), rel=1e-12, nan_ok=True)
    assert sum(result.terms) / result.divisor == pytest.approx(loss.item(), nan_ok=True)
    (gradient,) = torch.autograd.grad(loss, nll)
    torch.testing.assert_close(
        torch.tensor(result.gradient, dtype=torch.float64), gradient, equal_nan=True
    )


def test_what_a_normaliser_weighs():
    def shares(normaliser):
        rows = compute(normaliser=normaliser).gradient
        return [sum(row) / sum(map(sum, rows)) for row in rows]

    assert shares("tokens") == pytest.approx([3 / 6, 1 / 6, 2 / 6])
    assert shares("sentences") == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert shares("sum") == shares("cells") == pytest.approx(shares("tokens"))


def test_outcomes_name_what_the_curve_does():
    outcomes = {name: compute(**state.params).outcome for name, state in STATES.items()}
    assert outcomes["right"] == outcomes["per_sentence"] == outcomes["sum"] == "same"
    assert outcomes["padded_mean"] == "smaller"
    assert outcomes["blog"] == outcomes["broadcast"] == "larger"
    assert outcomes["transposed"] == outcomes["transposed_b_not_t"] == "nothing"
    assert compute(mask="blog", normaliser="sentences").outcome == "nothing", "nan"


@pytest.mark.parametrize(
    "wrong",
    [
        {"mask": "wrong"},
        {"normaliser": "mean"},
        {"lengths": (3, 1)},
        {"lengths": (6, 1, 1), "width": 6},
        {"lengths": (3, 0, 2)},
        {"lengths": (3, 1, 2), "width": 2},
        {"width": 7},
        {"extra_pads": 11},
        {"extra_pads": -1},
        {"prediction": "maybe"},
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        compute(**wrong)


# ---------------------------------------------------------------- draw


def some_results():
    for name, state in STATES.items():
        for prediction in (None, widget.SKIPPED, "smaller"):
            yield pytest.param(
                {**state.params, "prediction": prediction}, id=f"{name}-{prediction}"
            )
    for mask, normaliser in itertools.product(MASKS, NORMALISERS):
        widest = {"lengths": (5, 5, 5), "width": 6, "extra_pads": 10, "prediction": "nothing"}
        yield pytest.param(
            {**widest, "mask": mask, "normaliser": normaliser}, id=f"widest-{mask}-{normaliser}"
        )


@pytest.mark.parametrize("params", list(some_results()))
def test_every_cell_is_drawn_and_exactly_the_pads_are_hatched(params):
    result = compute(**params)
    root = parsed(draw(result))
    cells = of_class(root, "cell")
    assert len(cells) == 3 * result.width
    pads = 3 * result.width - sum(result.lengths)
    tips = [cell.find(f"{SVG}title").text for cell in cells]
    assert sum("PAD" in tip for tip in tips) == pads
    corners = {(cell.get("x"), cell.get("y")) for cell in cells}
    assert len(corners) == len(cells)
    in_the_grid = [p for p in of_class(root, "pad") if _start(p)[1] <= _lowest(cells)]
    hatched = {c for c in corners if any(_inside(c, _start(path)) for path in in_the_grid)}
    assert len(hatched) == pads
    assert {t.split(":")[0] for t in tips if "PAD" in t} == {
        cell.find(f"{SVG}title").text.split(":")[0]
        for cell in cells
        if (cell.get("x"), cell.get("y")) in hatched
    }


def _start(path: ET.Element) -> tuple[float, float]:
    x, y = path.get("d").split("L")[0].removeprefix("M").split()
    return float(x), float(y)


def _lowest(cells: list[ET.Element]) -> float:
    return max(float(cell.get("y")) for cell in cells) + 24


def _inside(corner: tuple[str, str], point: tuple[float, float]) -> bool:
    dx, dy = point[0] - float(corner[0]), point[1] - float(corner[1])
    return 0 <= dx <= 24 and 0 <= dy <= 24


@pytest.mark.parametrize("params", list(some_results()))
def test_nothing_is_cut_off_and_nothing_lies_over_something_else(params):
    root = parsed(draw(compute(**params)))
    assert unreadable(root) == []


def test_the_division_stands_there_with_its_numbers():
    for state, division in {
        "right": "(0.5 + 1.0 + 3.0 + 2.5 + 1.5 + 0.5) / 6 = 9.0 / 6 = 1.50",
        "transposed": "(0.5 + 1.0 + 3.0 + 2.5 + 6.0 + 1.5) / 6 = 14.5 / 6 = 2.42",
        "padded_mean": "(0.5 + 1.0 + 3.0 + 2.5 + 1.5 + 0.5) / 9 = 9.0 / 9 = 1.00",
        "blog": "(2.67 + 2.67 + 2.67 + 2.67 + 2.67 + 2.67) / 6 = 16.00 / 6 = 2.67",
        "broadcast": "54 values: (0.5 + 0.5 + 0.5 + 0.5 + 0.5 + … + 5.0) / 54 = 144.0 / 54 = 2.67",
        "per_sentence": "(1.50 + 2.50 + 1.00) / 3 = 5.00 / 3 = 1.67",
        "sum": "0.5 + 1.0 + 3.0 + 2.5 + 1.5 + 0.5 = 9.0",
    }.items():
        assert division in words(parsed(EXPLORER.picture(state)))


def test_losses_code_and_shares_are_printed():
    root = parsed(EXPLORER.picture("transposed"))
    shown = words(root)
    assert [w for w in shown if w in ("0.5", "1.0", "3.0", "2.5", "4.0", "6.0", "1.5", "5.0")]
    code = compute(**STATES["transposed"].params).code
    assert code[0] + "  # [3, 3]" in shown and {code[1], code[2]} <= set(shown)
    assert {"50 %", "33 % (17 % at PAD)", "17 %", "loss = 2.42", "the right loss: 1.50"} <= set(
        shown
    )
    assert "Counted: 5 of 6 real tokens and 1 of 3 PAD cells." in shown


def test_an_error_is_shown_in_place_of_the_number():
    shown = words(parsed(EXPLORER.picture("transposed_b_not_t")))
    assert "No loss: PyTorch raises a RuntimeError" in shown
    assert compute(**STATES["transposed_b_not_t"].params).error in shown
    assert not any(text.startswith("loss = ") and text[7].isdigit() for text in shown)


def test_the_curve_has_a_mark_for_each_number_of_columns():
    root = parsed(EXPLORER.picture("padded_mean_plus_10_pads"))
    (*others, legend) = root.iter(f"{SVG}circle")
    heights = [float(dot.get("cy")) for dot in others]
    assert len(heights) == 11 and heights == sorted(heights), "it falls, and y points down"
    assert [dot.get("r") for dot in others] == ["3.5"] * 10 + ["6"], "the last one is where we are"
    flat = [dot.get("cy") for dot in list(parsed(EXPLORER.picture("right")).iter(f"{SVG}circle"))]
    assert len(set(flat[:11])) == 1
    assert words(parsed(EXPLORER.picture("transposed"))).count("error") == 10


def test_before_the_prediction_nothing_gives_the_answer_away():
    for name, state in STATES.items():
        veiled = parsed(draw(compute(**state.params, prediction=None)))
        shown = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
        result = compute(**state.params)
        assert len(of_class(veiled, "veil")) == 1 and list(veiled.iter(f"{SVG}circle")) == []
        assert of_class(veiled, "share") == []
        # two digits after the point: results have them, the losses in the grid do not
        assert f"{result.target:.2f}" not in shown and "loss = 1" not in shown
        fills = {cell.get("fill") for cell in of_class(veiled, "cell")}
        assert fills == {svg.PAPER}, f"{name}: the mask is the answer"
        assert "gradient" not in ET.tostring(veiled, "unicode")
        assert len(of_class(parsed(draw(result)), "veil")) == 0


def test_prediction_and_truth_are_shown_together():
    result = compute(**STATES["padded_mean"].params, prediction="same")
    for shown in (words(parsed(draw(result))), [parsed(draw(result)).find(f"{SVG}desc").text]):
        text = " ".join(shown)
        assert "You predicted: stays the same." in text
        assert "With 10 extra PAD columns: gets smaller (1.00 → 0.23)." in text
    skipped = " ".join(words(parsed(draw(compute(**STATES["padded_mean"].params)))))
    assert "You predicted" not in skipped and "gets smaller (1.00 → 0.23)." in skipped


def test_title_and_description_say_what_the_picture_shows():
    root = parsed(EXPLORER.picture("transposed"))
    assert root[0].tag == f"{SVG}title" and root[0].text == "loss = 2.42"
    assert root[1].tag == f"{SVG}desc"
    for part in (
        "lengths 3, 1, 2",
        "width 3",
        "lengths[None, :]",
        "14.5 / 6 = 2.42",
        "The right loss is 1.50.",
        "B 33 %, 17 % at PAD",
        "error or nan (2.42 → error)",
    ):
        assert part in root[1].text


def test_one_hue_and_a_paper_of_its_own_for_dark_pages():
    for name in STATES:
        root = parsed(EXPLORER.picture(name))
        paper = root.find(f"{SVG}rect")
        assert (paper.get("width"), paper.get("fill")) == ("100%", "#ffffff")
        colours = {e.get(a) for e in root.iter() for a in ("fill", "stroke")} - {None, "none"}
        for ink in colours:
            red, green, blue = bytes.fromhex(ink[1:])
            grey = red == green == blue
            assert grey or red < green < blue, f"{ink} is neither grey nor blue"


def test_every_text_is_readable_on_what_is_below_it():
    """WCAG 2: a contrast of 4.5."""
    darkest = min([svg.PAPER, svg.LIGHT, svg.tint(0.42)], key=lambda ink: luminance(colour(ink)))
    for ink, ground in ((svg.INK, darkest), (svg.GREY, svg.PAPER)):
        assert (luminance(colour(ground)) + 0.05) / (luminance(colour(ink)) + 0.05) >= 4.5
    for name in STATES:
        inks = {text.get("fill") for text in parsed(EXPLORER.picture(name)).iter(f"{SVG}text")}
        assert inks <= {svg.INK, svg.GREY}


# ---------------------------------------------------------------- the widget

MOVES = {
    "mask": "transposed",
    "normaliser": "sum",
    "lengths[0]": 2,
    "lengths[1]": 3,
    "lengths[2]": 1,
    "width": 5,
    "extra_pads": 7,
}


def live(state="right", lock=()):
    return EXPLORER.live(state, lock)


def is_veiled(box) -> bool:
    return len(of_class(parsed(box.picture.value), "veil")) == 1


def test_the_picture_is_hidden_until_there_is_a_prediction():
    box = live()
    assert is_veiled(box) and box.prediction is None and box.guess.value is None
    box.guess.value = "larger"
    assert not is_veiled(box) and box.prediction == "larger"
    assert box.picture.value == draw(compute(**STATES["right"].params, prediction="larger"))


def test_no_prediction_is_called_wrong():
    pictures = set()
    for words_, prediction in OUTCOMES.items():
        box = live("blog")
        box.guess.value = prediction
        assert f"You predicted: {words_}." in box.picture.value
        pictures.add(box.picture.value.replace(f"You predicted: {words_}.", ""))
    assert len(pictures) == 1, "right or wrong, all the rest is the same"


def test_the_prediction_can_be_skipped_and_asked_for_again():
    box = live()
    box.skip.click()
    assert not is_veiled(box) and box.guess.value is None
    assert box.picture.value == draw(compute(**STATES["right"].params))
    box.inputs["mask"].value = "blog"
    assert not is_veiled(box), "skipping holds for what comes after, too"
    box.skip.click()
    assert is_veiled(box)


def test_each_question_is_asked_once():
    box = live()
    box.guess.value = "same"
    box.inputs["extra_pads"].value = 4
    assert not is_veiled(box), "the same code: the same question"
    box.inputs["mask"].value = "blog"
    assert is_veiled(box) and box.guess.value is None, "other code: another question"
    box.guess.value = "smaller"
    box.inputs["mask"].value = "right"
    assert not is_veiled(box) and box.guess.value == "same", "it was answered before"
    assert box.predictions == {("right", "tokens"): "same", ("blog", "tokens"): "smaller"}


def test_every_control_changes_the_picture_and_the_picture_is_the_one_of_its_values():
    box = live()
    box.skip.click()
    assert set(MOVES) == set(box.inputs)
    params = dict(STATES["right"].params)
    for key, value in MOVES.items():
        before = box.picture.value
        box.inputs[key].value = value
        if key.startswith("lengths"):
            lengths = list(params["lengths"])
            lengths[int(key[8])] = value
            params["lengths"] = tuple(lengths)
        else:
            params[key] = value
        assert box.params == params
        assert box.picture.value != before
        assert box.picture.value == draw(compute(**params)), key
        parsed(box.picture.value)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(list(MOVES)), max_size=6), st.data())
def test_no_sequence_of_moves_breaks_it(keys, data):
    box = live()
    box.skip.click()
    for key in keys:
        control = next(c for c in EXPLORER.all_controls() if c.key == key)
        if isinstance(control, widget.Choice):
            box.inputs[key].value = data.draw(st.sampled_from(list(control.options.values())))
        else:
            box.inputs[key].value = data.draw(st.integers(control.low, control.high))
    assert parsed(box.picture.value).find(f"{SVG}title").text != "No picture"


def test_a_longer_sentence_widens_the_batch_and_a_narrow_batch_is_refused():
    box = live()
    box.inputs["lengths[1]"].value = 5
    assert box.inputs["width"].value == 5
    box.inputs["width"].value = 2
    assert box.inputs["width"].value == 5 == box.params["width"]


def test_locked_controls_are_disabled_and_the_others_are_not():
    box = live("transposed", lock=["mask", "lengths"])
    disabled = {key for key, control in box.inputs.items() if control.disabled}
    assert disabled == {"mask", "lengths[0]", "lengths[1]", "lengths[2]"}
    assert not box.guess.disabled and not box.skip.disabled


def test_a_locked_width_cuts_sentences_and_stays():
    box = live(lock=("width",))
    box.inputs["lengths[2]"].value = 5
    assert box.params["width"] == 3 and box.inputs["lengths[2]"].value == 3


def test_what_is_shown_first_is_the_state_that_was_asked_for():
    for name, state in STATES.items():
        box = live(name)
        assert box.params == state.params
        assert {k: w.value for k, w in box.inputs.items() if k in state.params} == {
            k: v for k, v in state.params.items() if k != "lengths"
        }
        box.skip.click()
        assert box.picture.value == EXPLORER.picture(name)


def test_two_boxes_do_not_disturb_each_other():
    one, other = live(), live()
    before = other.picture.value
    one.skip.click()
    one.inputs["mask"].value = "blog"
    assert other.picture.value == before and other.params == STATES["right"].params


def test_controls_are_ones_that_a_keyboard_reaches_and_the_prediction_comes_first():
    import ipywidgets

    box = live()
    rows = [row.children for row in box.children[:-1]]
    assert rows[0] == (box.guess, box.skip)
    assert [w for row in rows[1:] for w in row] == list(box.inputs.values())
    assert box.children[-1] is box.picture
    reached = (ipywidgets.ToggleButtons, ipywidgets.BoundedIntText, ipywidgets.IntSlider)
    for control in (box.guess, *box.inputs.values()):
        assert isinstance(control, reached) and control.tabbable is not False
        assert control.description.strip(), "a label that can be read out"


def test_a_failure_takes_the_place_of_the_picture(monkeypatch):
    box = live()
    box.skip.click()
    broken = SimpleNamespace(**{**vars(EXPLORER), "compute": None, "all_controls": list})
    box.explorer = broken
    box.inputs["mask"].value = "blog"
    assert "TypeError" in words(parsed(box.picture.value))[0]


@pytest.mark.parametrize("call", [explore, EXPLORER.live, EXPLORER.still])
def test_unknown_states_and_locks_are_refused_with_the_list_of_known_ones(call):
    with pytest.raises(ValueError, match="Unknown state: 'transpose'. Valid: 'right', 'transpos"):
        call("transpose")


def test_unknown_locks_are_refused():
    for wrong in ("B", "lengths[0]", "prediction"):
        with pytest.raises(ValueError, match="Valid: 'mask', 'normaliser', 'lengths', 'width'"):
            explore("right", lock=[wrong])
    with pytest.raises(TypeError, match="list"):
        explore("right", lock="mask")


# ---------------------------------------------------------------- without a kernel


def frames(strip: str) -> list[ET.Element]:
    root = parsed(strip)
    found = [element for element in root if element.tag == f"{SVG}svg"]
    assert all(frame.find(f"{SVG}desc").text in root.find(f"{SVG}desc").text for frame in found)
    return found


def test_the_filmstrip_shows_three_open_pictures_under_each_other():
    strip = EXPLORER.filmstrip("right")
    titles = [frame.find(f"{SVG}title").text for frame in frames(strip)]
    assert titles == ["loss = 1.50", "loss = 2.42", "loss = 1.50"]
    assert of_class(parsed(strip), "veil") == []
    captions = [STATES[n].caption for n in ("right", "transposed", "right_plus_10_pads")]
    assert [f"{i}. {c}" for i, c in enumerate(captions, 1)] == [
        t for t in words(parsed(strip)) if t[1:3] == ". "
    ]
    bottom = 0.0
    for frame in frames(strip):
        assert float(frame.get("y")) >= bottom
        bottom = float(frame.get("y")) + float(frame.get("height"))
    assert bottom <= float(parsed(strip).get("height"))


def test_the_filmstrip_begins_with_the_state_that_was_asked_for():
    titles = [f.find(f"{SVG}title").text for f in frames(EXPLORER.filmstrip("transposed"))]
    assert titles == ["loss = 2.42", "loss = 1.50", "loss = 1.50"]


def test_a_state_that_is_not_in_the_filmstrip_stands_alone():
    titles = [f.find(f"{SVG}title").text for f in frames(EXPLORER.filmstrip("padded_mean"))]
    assert titles == ["loss = 1.00"]


def test_a_reader_without_a_kernel_finds_the_filmstrip_beside_the_live_view():
    bundles = []
    for prediction in (None, "larger"):
        box = live()
        box.guess.value = prediction
        data, _ = box._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in data
        bundles.append({kind: data[kind] for kind in ("text/plain", "image/svg+xml")})
    assert bundles[0] == bundles[1], "the same bytes on every run"
    assert bundles[0] == {
        "text/plain": "MaskLossExplorer: run this cell to use it.",
        "image/svg+xml": EXPLORER.filmstrip("right"),
    }


def in_a_notebook(monkeypatch):
    kernel = SimpleNamespace(comm_manager=object())
    fake = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=kernel))
    monkeypatch.setitem(sys.modules, "IPython", fake)


def test_in_a_notebook_explore_is_live(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert EXPLORER.live("blog").params == STATES["blog"].params  # ipywidgets are imported by now
    in_a_notebook(monkeypatch)
    box = explore("blog", lock=("mask",))
    assert box.params == STATES["blog"].params and box.inputs["mask"].disabled


def test_under_nbgrader_explore_is_a_picture(monkeypatch):
    in_a_notebook(monkeypatch)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    still = explore("right")
    assert repr(still) == "MaskLossExplorer()"
    assert still._repr_mimebundle_()["image/svg+xml"] == EXPLORER.filmstrip("right")


def test_without_a_kernel_explore_is_a_picture_and_imports_no_widgets():
    code = (
        "import sys; from seq2seq_lib.course.explorers.mask_loss import explore\n"
        "still = explore('blog')\n"
        "assert still.svg.startswith('<svg') and repr(still) == 'MaskLossExplorer()'\n"
        "assert not {'ipywidgets', 'IPython', 'matplotlib'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_in_a_terminal_explore_is_a_picture(monkeypatch):
    fake = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=None))
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert isinstance(explore(), widget.Filmstrip)
