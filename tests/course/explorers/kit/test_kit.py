"""The translation box: the answer by value, the picture as XML, the widget without a browser.

At the end: what an explorer may ask of the widget that all of them share.

The browser itself is in test_browser.py.
"""

import hashlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib.course.explorers import mask_loss, pad_drift, search_tree, translation_box
from seq2seq_lib.course.explorers.kit import svg, widget
from seq2seq_lib.course.explorers.translation_box import Answer, box, compute, draw
from seq2seq_lib.translate import Translation
from tests.support.pictures import SVG, colour, luminance

STATIC = "image/svg+xml"


@dataclass
class Echo:
    """Plays a ``Translator``: answers with the words in capitals, in reverse order.

    The word "new" is unknown, "long" makes an answer that does not end, "fail" an error.
    """

    attends: bool = True
    asked: tuple = ()

    def tokenize(self, text: str) -> list[str]:
        return text.replace("?", " ").split()

    def __call__(self, lines, *, max_new_tokens):
        self.asked += ((tuple(lines), max_new_tokens),)
        return [self.translation(self.tokenize(line)) for line in lines]

    def translation(self, source: list[str]) -> Translation:
        if "fail" in source:
            raise RuntimeError("out of <memory>")
        target = [token.upper() for token in reversed(source)]
        attention = torch.full((len(target), len(source) + 1), 0.3 / len(source))
        for i in range(len(target)):
            attention[i, -2 - i] = 0.7
        return Translation(
            text=" ".join(target),
            source=source,
            target=target,
            unknown=[token for token in source if token == "new"],
            log_prob=-1.0,
            attention=attention if self.attends else None,
            finished="long" not in source,
        )


def parse(svg: str) -> ET.Element:
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return root


def drawn(text: str, **changes) -> ET.Element:
    return parse(draw(replace(compute(Echo(), text), **changes)))


def texts(root: ET.Element) -> list[str]:
    return [element.text for element in root.iter(f"{SVG}text")]


def cells(root: ET.Element) -> list[ET.Element]:
    return [rect for rect in root.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]


# ---------------------------------------------------------------- compute


def test_an_answer_is_the_translation_of_the_whole_text():
    echo = Echo()
    answer = compute(echo, " one two ")
    assert answer == Answer(" one two ", answer.translation, "")
    assert answer.translation.text == "TWO ONE"
    assert echo.asked == (((" one two ",), 14),), "asked once, as it was typed, with a limit"


@pytest.mark.parametrize("text", ["", "  \t "])
def test_an_empty_box_says_so_and_asks_no_model(text):
    echo = Echo()
    assert compute(echo, text) == Answer(text, None, "Type something first: the box is empty.")
    assert echo.asked == ()


def test_text_without_tokens_is_answered_with_a_message():
    echo = Echo()
    answer = compute(echo, "???")
    assert answer.translation is None and "nothing in it" in answer.message
    assert echo.asked == ()


def test_more_tokens_than_the_grid_has_room_for_are_translated_without_it():
    forty = compute(Echo(), "a " * 40)
    assert forty.message == "" and len(cells(parse(draw(forty)))) == 40 * 41
    echo = Echo()
    answer = compute(echo, "a b " * 33)
    assert answer.translation.target == ["B", "A"] * 33
    assert answer.message == "No grid: that is 66 tokens, it has room for 40."
    assert echo.asked[0][1] == 142, "room for an answer twice as long, and more"
    root = parse(draw(answer))
    assert cells(root) == [] and answer.message in texts(root)


def test_a_text_that_would_take_too_long_is_refused_with_its_number():
    assert compute(Echo(), "a " * 200).translation is not None
    echo = Echo()
    answer = compute(echo, "a " * 201)
    assert answer.translation is None
    assert answer.message == "That is 201 tokens; the box reads 200."
    assert echo.asked == ()


def test_unknown_tokens_are_named_once_each():
    answer = compute(Echo(), "a new new thing")
    assert answer.message == "Never seen in training, read as unknown: “new”."


def test_an_unfinished_answer_is_not_sold_as_a_whole_one():
    assert compute(Echo(), "a long way").message == "The answer did not end and was cut."
    both = compute(Echo(), "a new long way").message
    assert both.startswith("Never seen") and both.endswith("was cut.")


def test_compute_is_pure():
    one, other = compute(Echo(), "a new way"), compute(Echo(), "a new way")
    assert torch.equal(one.translation.attention, other.translation.attention)
    assert draw(one) == draw(other)


# ---------------------------------------------------------------- draw


def test_the_grid_has_a_cell_for_each_pair_of_tokens_and_one_column_for_the_end():
    root = drawn("one two three")
    assert len(cells(root)) == 3 * 4
    assert {cell.find(f"{SVG}title").text.split(":")[0] for cell in cells(root)} == {
        f"{row} from {column}"
        for row in ("THREE", "TWO", "ONE")
        for column in ("one", "two", "three", "end")
    }


def test_cells_stand_in_the_row_of_their_output_and_the_column_of_their_source():
    places = {
        cell.find(f"{SVG}title").text.split(":")[0]: (float(cell.get("x")), float(cell.get("y")))
        for cell in cells(drawn("a b"))
    }
    assert places["B from a"][0] < places["B from b"][0] < places["B from end"][0]
    assert places["B from a"][1] < places["A from a"][1]
    assert places["B from b"][0] == places["A from b"][0]
    assert places["B from a"][1] == places["B from b"][1]


def test_answer_labels_message_and_key_numbers_are_printed():
    root = drawn("a new way")
    shown = texts(root)
    assert {"WAY NEW A", "WAY", "NEW", "A", "a", "new", "way", "end"} <= set(shown)
    assert any("Never seen in training" in text for text in shown)
    assert any("%" in text for text in shown), "the unit of the numbers"
    assert shown.count("70") == 3 and shown.count("10") == 9


@pytest.mark.parametrize(
    ("weight", "number", "shade"),
    [(0.0, None, "0.03"), (0.094, None, "0.09"), (0.096, "10", "0.10"), (1.0, "100", "1.00")],
)
def test_a_cell_prints_its_percentage_unless_it_is_negligible(weight, number, shade):
    translation = Translation("x", [], ["x"], [], -1.0, torch.tensor([[weight]]), True)
    root = parse(draw(Answer("text", translation, "")))
    (cell,) = cells(root)
    assert cell.get("fill-opacity", "1.00") == shade
    assert cell.find(f"{SVG}title").text == f"x from end: {weight:.2f}"
    numbers = [text for text in texts(root) if text.isdigit()]
    assert numbers == ([number] if number else [])


def test_every_number_is_readable_on_its_cell():
    """WCAG 2: a contrast of 4.5 for small text."""
    weights = torch.arange(101)[None] / 100
    translation = Translation("x", ["t"] * 100, ["x"], [], -1.0, weights, True)
    root = parse(draw(Answer("text", translation, "")))
    elements = list(root)
    checked = 0
    for cell in cells(root):
        number = elements[elements.index(cell) + 1] if cell is not elements[-1] else cell
        if number.get("font-size") != "10":
            continue
        a = float(cell.get("fill-opacity", 1))
        paper = [a * c + 1 - a for c in colour(cell.get("fill"))]
        light, dark = sorted([luminance(paper), luminance(colour(number.get("fill")))])[::-1]
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"weight {a}"
        checked += 1
    assert checked == 91  # 0.10 .. 1.00


def test_the_picture_has_a_paper_of_its_own_for_dark_pages():
    for root in (drawn("a b"), drawn("")):
        paper = root.find(f"{SVG}rect")
        assert (paper.get("width"), paper.get("height")) == ("100%", "100%")
        inks = {text.get("fill") for text in root.iter(f"{SVG}text")}
        for ink in inks:
            assert luminance(colour(paper.get("fill"))) - luminance(colour(ink)) > 0.9


def test_a_screen_reader_hears_the_answer_and_where_it_looked():
    root = drawn("a new way")
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title" and root[0].text == "Output: WAY NEW A"
    assert root[1].tag == f"{SVG}desc"
    for part in (
        "Input: a new way.",
        "unknown: “new”",
        "WAY looks most at way.",
        "A looks most at",
    ):
        assert part in root[1].text


SURE = "Its probability, says the model: 0.37."  # exp(-1), as Echo says


@pytest.mark.parametrize(
    ("log_prob", "shown"),
    [(0.0, "above 0.99"), (-0.02, "0.98"), (-4.5, "0.01"), (-5.0, "below 0.01")],
)
def test_the_probability_of_the_answer_is_printed_and_read_out(log_prob, shown):
    translation = replace(compute(Echo(), "one").translation, log_prob=log_prob)
    root = parse(draw(Answer("one", translation, "")))
    words = f"Its probability, says the model: {shown}."
    assert words in texts(root) and words in root[1].text


def test_a_full_stop_is_read_once():
    for text in ("one two", "one two."):
        description = drawn(text)[1].text
        assert description.startswith("Input: one two. Output: ") and ".." not in description


def test_without_attention_there_is_an_answer_and_no_grid():
    root = parse(draw(compute(Echo(attends=False), "one two")))
    assert texts(root) == ["TWO ONE", SURE] and cells(root) == []
    assert "looks" not in root[1].text


@pytest.mark.parametrize("attention", [None, torch.zeros(0, 2)])
def test_an_empty_answer_is_shown_as_empty(attention):
    translation = Translation("", ["a"], [], [], -1.0, attention, True)
    root = parse(draw(Answer("a", translation, "")))
    assert texts(root) == ["(an empty answer)", SURE] and cells(root) == []
    assert root[0].text == "Output: (an empty answer)" and "Output: (an" in root[1].text


def test_no_answer_shows_its_reason():
    root = drawn("")
    assert texts(root) == ["Type something first: the box is empty."]
    assert root[0].text == "No answer"


def test_spaces_are_visible():
    translation = Translation("x", [" "], [" "], [], -1.0, torch.tensor([[0.9, 0.1]]), True)
    assert texts(parse(draw(Answer(" ", translation, ""))))[-4:-2] == ["end", "␣"]


HOSTILE = "<script>alert(1)</script> & \"quotes\" 'x' ]]> &amp; \x00\x0b\ud800\uffff é 東京 🎈"


def test_special_characters_are_text_and_never_markup():
    class Keep(Echo):
        def translation(self, source):
            found = super().translation(source)
            return replace(found, text=HOSTILE, target=source, unknown=source)

    root = parse(draw(compute(Keep(), HOSTILE)))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "desc", "rect", "text", "g"}
    shown = texts(root)
    for token in ("&", '"quotes"', "'x'", "]]>", "&amp;", "é", "東京", "🎈"):
        assert token in shown
    assert "�" in "".join(shown), "what XML cannot hold is replaced, not dropped silently"


@given(st.text(max_size=60))
def test_any_text_gives_a_picture_that_is_xml(text):
    root = parse(draw(compute(Echo(), text)))
    assert root[1].tag == f"{SVG}desc" or root[0].text == "No answer"


def extent(root: ET.Element):
    """Left, right and lowest edge of all that is drawn, for a font of middling width."""
    edges = []
    for parent in root.iter():
        for element in parent:
            if element.tag == f"{SVG}rect" and element.get("x"):
                x, y = float(element.get("x")), float(element.get("y"))
                edges.append((x, x + float(element.get("width")), y, y + 20))
            if element.tag == f"{SVG}text":
                long = 0.55 * float(element.get("font-size")) * len(element.text)
                x, y = float(element.get("x")), float(element.get("y"))
                high = float(element.get("font-size"))
                if turn := re.match(r"translate\((\S+) (\S+)\)", parent.get("transform", "")):
                    x, y = x + float(turn[1]), y + float(turn[2])
                    long, high = 0.5 * long, 0.87 * long  # at 60 degrees
                start = {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor")]
                edges.append((x - start * long, x + (1 - start) * long, y - high, y))
    lefts, rights, tops, bottoms = zip(*edges, strict=True)
    return min(lefts), max(rights), min(tops), max(bottoms)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a new long way",
        "donaudampfschifffahrtsgesellschaft " * 40,
        "1 " * 40,
        "a donaudampfschifffahrtsgesellschaft",
        "w" * 3000,
        "new " + "W" * 200 + " long",
    ],
)
def test_nothing_is_cut_off(text):
    root = drawn(text)
    left, right, top, bottom = extent(root)
    assert left >= 0 and right <= float(root.get("width"))
    assert top >= 0 and bottom <= float(root.get("height"))


def test_long_tokens_are_shortened_visibly():
    shown = texts(drawn("donaudampfschifffahrt sixteen-letters-"))
    assert "donaudampfschif…" in shown and "sixteen-letters-" in shown
    assert max(len(text) for text in shown if "…" in text and " " not in text) == 16


def test_a_long_reason_is_wrapped_too():
    root = parse(draw(Answer("x", None, "word " * 60)))
    left, right, _, bottom = extent(root)
    assert len(texts(root)) > 3
    assert right <= float(root.get("width")) and bottom <= float(root.get("height"))


def test_short_labels_stand_upright_and_long_ones_slanted():
    assert drawn("a b c").find(f"{SVG}g") is None
    assert len(drawn("a four").findall(f"{SVG}g")) == 3


@pytest.mark.parametrize(
    ("token", "label"),
    [("\u200d", "U+200D"), ("\x00", "U+0000"), ("a\u202eb", "aU+202Eb"), ("क्‍ष", "क्‍ष")],
)
def test_characters_that_cannot_be_seen_are_named(token, label):
    assert translation_box._label(token) == label


# ---------------------------------------------------------------- the widget


def test_the_widget_begins_with_the_answer_to_its_example():
    widget = box(Echo(), "one two", label="a pair")
    assert (widget.field.value, widget.field.description) == ("one two", "a pair")
    assert widget.picture.value == draw(compute(Echo(), "one two"))
    assert widget.children == (widget.field, widget.picture)


def test_typing_changes_the_picture():
    widget = box(Echo(), "one two")
    for text in ("three four", "", "one two", "a " * 99, "new"):
        before = widget.picture.value
        widget.field.value = text
        assert widget.picture.value == draw(compute(Echo(), text)) != before


def test_the_model_is_asked_at_enter_and_not_at_every_key():
    assert box(Echo(), "one").field.continuous_update is False


def test_the_field_can_be_found_without_seeing_it():
    field = box(Echo(), "one", label="your text").field
    assert field.description == "your text" and "Enter" in field.placeholder
    assert field.tabbable is not False and field.disabled is False


def test_a_failing_model_is_reported_in_place_of_the_old_answer_and_the_box_lives_on():
    widget = box(Echo(), "one two")
    widget.field.value = "fail"
    (shown,) = texts(parse(widget.picture.value))
    assert shown == "The model failed: RuntimeError: out of <memory>"
    widget.field.value = "one"
    assert "ONE" in texts(parse(widget.picture.value))


def test_a_picture_that_fails_does_not_leave_the_old_answer(monkeypatch):
    widget, right = box(Echo(), "one two"), translation_box.draw

    def draw(answer):
        if answer.translation is not None:
            raise ZeroDivisionError("no room")
        return right(answer)

    monkeypatch.setattr(translation_box, "draw", draw)
    widget.field.value = "one"
    assert texts(parse(widget.picture.value)) == ["The model failed: ZeroDivisionError: no room"]


def test_an_example_that_fails_is_the_authors_mistake_and_stops_the_cell():
    with pytest.raises(RuntimeError, match="memory"):
        box(Echo(), "fail")


def test_two_boxes_do_not_disturb_each_other():
    one, other = box(Echo(), "one"), box(Echo(attends=False), "one")
    before = other.picture.value
    one.field.value = "two"
    assert other.picture.value == before


def test_a_reader_without_a_kernel_sees_the_picture_and_the_output_is_the_same_every_time():
    bundles = []
    for _ in range(2):
        widget = box(Echo(), "one two")
        bundle = widget._repr_mimebundle_()
        data, _ = bundle if isinstance(bundle, tuple) else (bundle, {})
        assert data[STATIC] == widget.picture.value
        parse(data[STATIC])
        assert "application/vnd.jupyter.widget-view+json" in data
        bundles.append({kind: data[kind] for kind in (STATIC, "text/plain")})
    assert bundles[0] == bundles[1]
    assert bundles[0]["text/plain"] == "TranslationBox: run all cells, then type into it."


def test_the_fallback_shows_what_the_box_shows_now():
    widget = box(Echo(), "one two")
    widget.field.value = "three"
    data, _ = widget._repr_mimebundle_()
    assert data[STATIC] == draw(compute(Echo(), "three"))


def test_under_grading_the_box_is_a_picture(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    picture = box(Echo(), "one two")
    assert not hasattr(picture, "field")
    assert "TWO ONE" in texts(parse(picture._repr_mimebundle_()[STATIC]))
    assert repr(picture) == "TranslationBox()"


def test_ipywidgets_are_imported_only_for_a_widget():
    code = (
        "import sys; from seq2seq_lib.course.explorers import translation_box as t\n"
        "t.draw(t.Answer('', None, 'empty'))\n"
        "assert 'ipywidgets' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


# ---------------------------------------------------------------- what an explorer may ask for


@dataclass(frozen=True)
class Walk:
    """A result: how far, of how many steps."""

    shape: str
    step: int
    prediction: str | None


def walk_picture(walk: Walk) -> str:
    words = f"{walk.shape} {walk.step} {walk.prediction}"
    return svg.picture(100, 20, words, words, [svg.text(2, 12, words)])


CORNERS = {"triangle": 3, "square": 4}
WALK = widget.Explorer(
    name="WalkExplorer",
    compute=lambda **params: Walk(params["shape"], params["step"], params["prediction"]),
    draw=walk_picture,
    states={
        "square": widget.State("A square", {"shape": "square", "step": 1, "size": 2}),
        "triangle": widget.State("A triangle", {"shape": "triangle", "step": 0, "size": 2}),
    },
    controls=(
        (widget.Choice("shape", "shape", {name: name for name in CORNERS}),),
        (
            widget.Number("step", "step", 0, lambda p: CORNERS[p["shape"]], slider=True, play=500),
            widget.Number("size", "size", 1, 9),
        ),
    ),
    ask=lambda params: f"Corners of a {params['shape']}",
    predictions=lambda params: {
        str(n): str(n) for n in range(CORNERS[params["shape"]] - 1, CORNERS[params["shape"]] + 2)
    },
    question=lambda params: params["shape"],
    tidy=lambda params, locked: {
        **params,
        "step": min(params["step"], CORNERS[params["shape"]]),
    },
    idle=lambda params: {"size"} if params["shape"] == "triangle" else frozenset(),
)


def shown(box) -> str:
    return parse(box.picture.value)[0].text


def test_a_slider_that_plays_moves_with_its_buttons():
    box = WALK.live("square")
    (player,) = box.players.values()
    slider = box.inputs["step"]
    assert (player.min, player.max, player.value, player.interval) == (0, 4, 1, 500)
    assert not player.repeat and not player.show_repeat, "at the end it stops"
    player.value = 3  # what the browser does while it plays
    assert slider.value == 3 and box.params["step"] == 3 and shown(box) == "square 3 None"
    slider.value = 2
    assert player.value == 2, "and goes on from where the slider is"
    rows = [row.children for row in box.children[1:-1]]
    assert rows[1] == (player, slider, box.inputs["size"]), "before its slider"


def test_a_largest_value_may_follow_from_another_control():
    box = WALK.live("square")
    box.inputs["step"].value = 4
    box.inputs["shape"].value = "triangle"
    assert box.inputs["step"].max == box.players["step"].max == 3
    assert box.params["step"] == box.inputs["step"].value == box.players["step"].value == 3
    box.inputs["shape"].value = "square"
    assert box.inputs["step"].max == box.players["step"].max == 4 and box.params["step"] == 3


def test_controls_that_would_change_nothing_are_disabled():
    box = WALK.live("square", lock=["step"])
    disabled = [{key for key, w in box.inputs.items() if w.disabled}]
    box.inputs["shape"].value = "triangle"
    disabled.append({key for key, w in box.inputs.items() if w.disabled})
    box.inputs["shape"].value = "square"
    disabled.append({key for key, w in box.inputs.items() if w.disabled})
    assert disabled == [{"step"}, {"step", "size"}, {"step"}]
    assert box.players["step"].disabled, "what is locked does not play"


def test_question_and_answers_may_follow_from_the_controls():
    box = WALK.live("square")
    assert box.guess.description == "Corners of a square"
    assert box.guess.options == (("3", "3"), ("4", "4"), ("5", "5")) and box.guess.value is None
    box.guess.value = "4"
    assert shown(box) == "square 1 4"
    box.inputs["shape"].value = "triangle"
    assert box.guess.description == "Corners of a triangle"
    assert box.guess.options == (("2", "2"), ("3", "3"), ("4", "4"))
    assert box.guess.value is None and shown(box) == "triangle 1 None"
    assert box.predictions == {"square": "4"}, "new answers are no prediction"
    box.inputs["shape"].value = "square"
    assert box.guess.value == "4" and shown(box) == "square 1 4"


def test_answers_that_stay_are_not_sent_again():
    """New options would take the focus away from the button that was pressed."""
    box = WALK.live("square")
    sent = []
    box.guess.observe(sent.append, names="options")
    box.guess.value = "5"
    box.inputs["step"].value = 2
    assert sent == []


# ---------------------------------------------------------------- all pictures

GOLDEN = {
    mask_loss: {
        "right": "e8bce82b7e1c2d1b",
        "transposed": "514e601852f5837a",
        "padded_mean_plus_10_pads": "dbc35286141054ae",
    },
    pad_drift: {
        "no_pads": "05a7eec4b907a4b7",
        "six_pads_raw": "4e6f9cc18cc5113e",
        "last_output_neighbours": "b43afb6de7f890e7",
    },
    search_tree: {
        "greedy": "7f075265f1895d99",
        "two_beams": "682f3caea55ae48c",
        "three_beams": "3a97169dea0e5982",
    },
}


@pytest.mark.parametrize(
    ("explorer", "state"),
    [pytest.param(e, state, id=state) for e, states in GOLDEN.items() for state in states],
)
def test_pictures_are_the_ones_that_were_looked_at(explorer, state):
    """If a change is meant: look at the picture, then put the new number here."""
    digest = hashlib.sha256(explorer.EXPLORER.picture(state).encode()).hexdigest()
    assert digest[:16] == GOLDEN[explorer][state]
