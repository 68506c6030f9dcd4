"""The words beside an exercise: read from TOML, and a mistake in it is named with file and key."""

import pytest

from seq2seq_lib.course.judging import words
from seq2seq_lib.course.judging.words import Hint, Message, words_beside

HINTS = """
[[hints]]
words = "What is its shape?"
[[hints]]
words = '''
One
paragraph.

Another.
'''
[[hints]]
words = "Fill in:"
code = '''
for x in ____:
    pass
'''
"""
COMPLETE = f"""
correct = "Right."
solution = "Because."
{HINTS}
[findings.off_by_one]
means = "{{count}} too many."
asks = "Which is the last?"
"""


@pytest.fixture
def beside(tmp_path):
    """Writes files, and reads the words of ``ex2_toy.py``."""

    def read(toml, **others):
        for name, text in {"ex2_toy": toml, **others}.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return words_beside(str(tmp_path / "ex2_toy.py"))

    return read


def test_an_exercise_s_words_stand_beside_it(beside):
    found = beside(COMPLETE)
    assert (found.correct, found.solution) == ("Right.", "Because.")
    assert found.hints == (
        Hint("What is its shape?"),
        Hint("One paragraph.\nAnother."),
        Hint("Fill in:", "for x in ____:\n    pass"),
    )
    assert found.message("off_by_one") == Message("{count} too many.", "Which is the last?")


def test_shared_findings_are_used_and_own_ones_win(beside):
    shared = """
        [findings.sum]
        means = "shared"
        asks = "?"
        [findings.off_by_one]
        means = "shared"
        asks = "?"
    """
    found = beside('use = ["losses"]\n' + COMPLETE, losses=shared)
    assert found.message("sum").means == "shared"
    assert found.message("off_by_one").means == "{count} too many."


def test_what_an_exercise_does_not_say_is_said_in_general(beside):
    found = beside(COMPLETE)
    assert found.message("no_return") == words.FINDINGS["no_return"]
    assert found.message("raised", {"kind": "name"}).asks == words.ERRORS["name"]
    assert found.message("raised", {"kind": "other"}) == words.FINDINGS["raised"]
    with pytest.raises(KeyError, match="finding 'nothing_of_the_kind'.*off_by_one"):
        found.message("nothing_of_the_kind")


def test_a_variant_is_said_where_somebody_has_words_for_it(beside):
    found = beside(COMPLETE.replace("off_by_one", "value"))
    assert found.message("law", {"variant": "alone"}) == words.FINDINGS["law_alone"]
    assert found.message("law", {"variant": "of_another_kind"}) == words.FINDINGS["law"]
    # an exercise's own words win over a general variant
    assert found.message("value", {"variant": "alone"}) == found.findings["value"]


def test_one_module_may_hold_two_exercises(tmp_path):
    (tmp_path / "ex1b.toml").write_text(COMPLETE, encoding="utf-8")
    assert words_beside(str(tmp_path / "ex1.py"), "ex1b").correct == "Right."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('correct = "Right."', "", r"ex2_toy.toml: 'correct' is missing"),
        ('solution = "Because."', "solution = 3", r"ex2_toy.toml: 'solution' must be a str"),
        ('solution = "Because."', 'solution = " "', r"ex2_toy.toml: 'solution' is empty"),
        ('correct = "Right."', 'corect = "Right."', r"ex2_toy.toml: unknown key 'corect'. Valid"),
        ('asks = "Which is the last?"', "", r"'findings.off_by_one.asks' is missing"),
        ("asks =", "ask =", r"unknown key 'findings.off_by_one.ask'. Valid: asks, means"),
        ("{count}", "{count", r"'findings.off_by_one.means' has an odd brace"),
        ("{count}", "{0}", r"'findings.off_by_one.means' has \{0\}, which names no fact"),
        ("[findings.off_by_one]", "[findings]", r"'findings.means' must be a table"),
        (HINTS, "", r"hints must be 3 .* but there are 0"),
        (HINTS, "hints = ['a', 'b', 'c']", r"hint 1 must be a table"),
        ('words = "Fill in:"', "", r"'hints\[3\].words' is missing"),
        ('words = "Fill in:"', 'word = "Fill in:"', r"unknown key 'hints\[3\].word'"),
        ('correct = "Right."', 'correct "Right."', r"ex2_toy.toml is no TOML: .*line 2"),
        ('correct = "Right."', 'correct = "Right."\nuse = ["los"]', r"no los.toml"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_file_and_key(beside, old, new, message):
    assert old in COMPLETE
    with pytest.raises(ValueError, match=message) as raised:
        beside(COMPLETE.replace(old, new))
    assert "ex2_toy.toml" in str(raised.value)


def test_a_shared_file_holds_findings_alone(beside):
    with pytest.raises(ValueError, match=r"losses.toml: unknown key 'correct'. Valid: findings"):
        beside('use = ["losses"]\n' + COMPLETE, losses='correct = "Right."')
