"""The translation box: the answer by value, the picture as XML, what is typed."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.translation_box import box, explorer_of
from seq2seq_lib.course.explorers.translation_box.compute import Answer, compute, label_of
from seq2seq_lib.course.explorers.translation_box.picture import draw
from seq2seq_lib.translate import Translation
from tests.support.pictures import SVG, colour, luminance, of_class


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
    return of_class(root, "cell")


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
    assert answer.message == "No grid: that is 66 characters, it has room for 40."
    assert echo.asked[0][1] == 142, "room for an answer twice as long, and more"
    root = parse(draw(answer))
    assert cells(root) == [] and answer.message in texts(root)


def test_a_text_that_would_take_too_long_is_refused_with_its_number():
    assert compute(Echo(), "a " * 200).translation is not None
    echo = Echo()
    answer = compute(echo, "ab " * 201)
    assert answer.translation is None
    assert answer.message == "That is 201 words; the box reads 200."
    assert echo.asked == ()


def test_unknown_tokens_are_named_once_each():
    answer = compute(Echo(), "a new new thing")
    assert answer.message == "Never seen in training, read as unknown: “\u2068new\u2069”."


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
    [(0.0, None, "0.03"), (0.094, None, "0.08"), (0.096, "10", "0.08"), (1.0, "99", "0.85")],
)
def test_a_cell_prints_its_percentage_unless_it_is_negligible(weight, number, shade):
    translation = Translation("x", [], ["x"], [], -1.0, torch.tensor([[weight]]), True)
    root = parse(draw(Answer("text", translation, "")))
    (cell,) = cells(root)
    assert cell.get("fill-opacity") == shade
    assert cell.find(f"{SVG}title").text == f"x from end: {weight:.2f}"
    numbers = [text for text in texts(root) if text.isdigit() and text != "1"]
    assert numbers == ([number] if number else [])


def test_ink_is_readable_on_the_darkest_cell_on_light_and_on_dark_paper():
    """WCAG 2: a contrast of 4.5 for small text."""
    for paper, ink in ((1.0, 0.0), (0.0, 1.0)):
        for shade in (0.03, 0.5, svg.DARKEST):
            cell = [shade * c + (1 - shade) * paper for c in colour(svg.BLUE)]
            light, dark = sorted([luminance(cell), luminance([ink] * 3)])[::-1]
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"shade {shade} on {paper}"


def test_a_screen_reader_hears_the_answer_and_where_it_looked():
    root = drawn("a new way")
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title" and root[0].text == "Output: WAY NEW A"
    assert root[1].tag == f"{SVG}desc"
    for part in (
        "Input: a new way.",
        "unknown: “\u2068new\u2069”",
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
    assert texts(root) == ["TWO ONE", SURE, "1"] and cells(root) == []
    assert "looks" not in root[1].text


@pytest.mark.parametrize("attention", [None, torch.zeros(0, 2)])
def test_an_empty_answer_is_shown_as_empty(attention):
    translation = Translation("", ["a"], [], [], -1.0, attention, True)
    root = parse(draw(Answer("a", translation, "")))
    assert texts(root) == ["(an empty answer)", SURE, "1"] and cells(root) == []
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


def test_a_bar_says_how_sure_the_model_is():
    root = drawn("one")
    (bar,) = of_class(root, "probability")
    frame = next(r for r in root.iter(f"{SVG}rect") if r.get("y") == bar.get("y") and r is not bar)
    share = float(bar.get("width")) / float(frame.get("width"))
    assert share == pytest.approx(0.3679, abs=0.001)  # exp(-1), as Echo says


def test_no_label_lies_over_another_even_where_one_character_has_a_long_name():
    root = drawn("1 \u200d \u202e x")
    slanted = root.findall(f"{SVG}g")
    assert {g.find(f"{SVG}text").text for g in slanted} == {"1", "U+200D", "U+202E", "x", "end"}
    upright = [t for t in drawn("a b d").iter(f"{SVG}text") if t.text in ("a", "b", "d", "end")]
    ends = [float(t.get("x")) + 5 for t in upright if t.text == "d"]
    (start,) = [float(t.get("x")) for t in upright if t.text == "end"]
    assert start > ends[0], "“d” and “end” do not touch"


def test_a_message_isolates_what_is_written_from_right_to_left():
    class Unknown(Echo):
        def translation(self, source):
            return replace(super().translation(source), unknown=source)

    assert compute(Unknown(), "שלום x").message == (
        "Never seen in training, read as unknown: “\u2068שלום\u2069”, “\u2068x\u2069”."
    )


def test_short_labels_stand_upright_and_long_ones_slanted():
    assert drawn("a b c").find(f"{SVG}g") is None
    assert len(drawn("a four").findall(f"{SVG}g")) == 3


@pytest.mark.parametrize(
    ("token", "label"),
    [("\u200d", "U+200D"), ("\x00", "U+0000"), ("a\u202eb", "aU+202Eb"), ("क्‍ष", "क्‍ष")],
)
def test_characters_that_cannot_be_seen_are_named(token, label):
    assert label_of(token) == label


# ---------------------------------------------------------------- the box


def test_the_box_is_an_explorer_whose_parameter_is_what_is_typed():
    explorer = explorer_of(Echo(), "one two", "a pair", ["three"])
    assert explorer.params("example") == {"text": "one two"}
    assert explorer.picture("example") == draw(compute(Echo(), "one two"))
    params = explorer.move({"text": "one two"}, "text", "four <b>")
    view = explorer.view(params)
    assert view["open"] == draw(compute(Echo(), "four <b>")) and view["question"] is None
    ((field,),) = view["rows"]
    assert (field["kind"], field["label"], field["value"]) == ("text", "a pair", "four <b>")
    assert [option["value"] for option in field["options"]] == ["one two", "three"]
    assert "pause" in field["hint"], "it stands below the field, not in it"


def test_an_example_that_fails_is_the_authors_mistake_and_stops_the_cell():
    with pytest.raises(RuntimeError, match="memory"):
        box(Echo(), "fail")


def test_under_grading_the_box_is_a_still(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    still = box(Echo(), "one two")
    assert "TWO ONE" in still.svg and repr(still).startswith("Translation box: ")
