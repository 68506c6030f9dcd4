"""The check engine: four states, quiet, traceless, never cruel to a learner, strict to a grade."""

import builtins
import contextlib
import functools
import html
import inspect
import io
import json
import logging
import random
import re
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from seq2seq_lib import course as checks
from seq2seq_lib.course import check, exercises, grade, hint, points, progress, solution
from seq2seq_lib.course.ch04_padding_masks import mutants as mutants04
from seq2seq_lib.course.ch04_padding_masks.answers import length_mask, masked_nll
from seq2seq_lib.course.judging import compare, engine, notes, probes, report, sandbox, texts
from seq2seq_lib.course.judging.exercise import REGISTER
from seq2seq_lib.masks import sequence_mask

IDS = [exercise.id for exercise in exercises()]
FUNCTIONS = [id for id in IDS if callable(REGISTER[id].reference)]
LETTERS = [id for id in IDS if id not in FUNCTIONS]


@pytest.fixture(autouse=True)
def no_grading_and_own_notes(monkeypatch, tmp_path):
    monkeypatch.delenv(engine.GRADING, raising=False)
    monkeypatch.setenv(notes.VARIABLE, str(tmp_path / "folder" / "progress.json"))


@pytest.fixture
def grading(monkeypatch):
    monkeypatch.setenv(engine.GRADING, "autograde")


def state(id, answer):
    return engine.judge(id, answer)[1].state


# ---------------------------------------------------------------- not attempted


def released(*args):
    # YOUR CODE HERE
    raise NotImplementedError()


def passes(*args):
    pass


def dots(*args): ...


def documented(*args):
    """Only a docstring."""


def blank(lengths, max_len):
    positions = torch.arange(max_len)
    return positions[____] < lengths[____]  # noqa: F821


def blank_inside(*args):
    return [____ for _ in args]  # noqa: F821


def half_done(*args):
    torch.ones(3)
    raise NotImplementedError("later")


def calls_a_stub(*args):
    return released(*args)


def name_of(stub):
    return getattr(stub, "__name__", None) or repr(stub)  # without an address, for xdist


STUBS = [released, passes, dots, documented, blank, blank_inside, half_done, calls_a_stub]


@pytest.mark.parametrize("id", FUNCTIONS)
@pytest.mark.parametrize(
    "stub", [*STUBS, None, ..., "____", ""], ids=lambda s: getattr(s, "__name__", repr(s))
)
def test_an_untouched_exercise_is_not_attempted(id, stub):
    shown, finding = engine.judge(id, stub)
    assert finding.state == "not_attempted"
    assert f'hint("{id}")' in " ".join(shown.text.split())


@pytest.mark.parametrize("id", LETTERS)
@pytest.mark.parametrize("stub", [None, ..., "", " ", "?", "...", "____"])
def test_an_untouched_letter_is_not_attempted(id, stub):
    assert state(id, stub) == "not_attempted"


def not_implemented_by_torch(lengths, max_len):
    return torch.linalg.inv(torch.ones(2, 2, dtype=torch.int64).to_sparse())


def not_implemented_by_a_layer(lengths, max_len):
    return torch.empty(2, device="meta").to("cpu")


def written_above(lengths, max_len):
    """A docstring is not an answer."""
    mask = sequence_mask(lengths, max_len)  # noqa: F841  a learner wrote no return
    # YOUR CODE HERE
    raise NotImplementedError()


def written_below(lengths, max_len):
    # YOUR CODE HERE
    raise NotImplementedError()
    return sequence_mask(lengths, max_len)


def blank_filled_once(lengths, max_len):
    return torch.arange(max_len) < lengths[____]  # noqa: F821


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (written_above, "written_above"),
        (written_below, "written_below"),
        (half_done, "half_done"),
        (calls_a_stub, "released"),
    ],
)
def test_a_stub_s_line_that_was_left_behind_is_named(answer, where):
    shown, finding = engine.judge("4.2", answer)
    assert finding.state == "not_attempted"
    text = " ".join(shown.text.split())
    assert f"raise NotImplementedError() still stands in {where}," in text


@pytest.mark.parametrize("answer", [released, passes, dots, documented])
def test_an_untouched_exercise_hears_of_no_line_left_behind(answer):
    assert len(engine.judge("4.2", answer)[0].lines) == 1


@pytest.mark.parametrize("answer", [blank, blank_inside, blank_filled_once])
def test_a_blank_left_open_is_named(answer):
    assert "A blank, ____, is still open in" in engine.judge("4.2", answer)[0].text


def test_code_that_returns_before_the_stub_s_line_is_judged():
    def answer(lengths, max_len):
        return sequence_mask(lengths, max_len)
        raise NotImplementedError()

    assert state("4.2", answer) == "correct"


def test_the_library_s_function_is_not_the_learner_s(grading, capsys):
    """After "Continue from here" the learner's name means the library's function."""
    shown, finding = engine.judge("4.2", sequence_mask)
    assert finding.state == "not_attempted"
    assert "This is the library's own sequence_mask," in " ".join(shown.text.split())
    with pytest.raises(AssertionError, match="library's own"):
        check("4.2", sequence_mask)
    # a function of the learner's own may call it, under whatever name
    check("4.2", lambda lengths, max_len: sequence_mask(lengths, max_len))
    check("4.2", functools.wraps(sequence_mask)(lambda *args: sequence_mask(*args)))
    assert capsys.readouterr().out.count(": correct") == 2


def test_an_error_of_torch_is_not_an_untouched_exercise():
    """torch itself raises NotImplementedError, for what a kernel cannot do."""
    for answer in (not_implemented_by_torch, not_implemented_by_a_layer):
        with pytest.raises(NotImplementedError):
            answer(torch.ones(2), 2)
        assert state("4.2", answer) == "error"


def test_a_function_that_only_returns_a_constant_was_attempted():
    assert state("4.2", lambda lengths, T: 0) == "wrong"


# ---------------------------------------------------------------- interactive: never raises


class Nameless:
    def __repr__(self):
        raise RuntimeError("no name")


class Odd:
    def __call__(self, *args):
        return self

    def __eq__(self, other):
        raise RuntimeError("no comparing")

    __hash__ = None


def recursive(*args):
    return recursive(*args)


def holds_itself(*args):
    value = []
    value.append(value)
    return value


LISTS = [  # where lists of outputs, tuples of tensors, dicts of numbers are expected
    holds_itself,
    lambda *args: [()],
    lambda *args: [((3, 2), 10**400)],
    lambda *args: [((2**70, 2), -1.0)],
    lambda *args: [((-5, 2), -1.0, -1.0)],
    lambda *args: [((), 0.0), ((), 0.0, 0.0)],
    lambda *args: [("ab", Nameless())],
    lambda *args: [(torch.ones(2, device="meta"), torch.tensor(1j))],
    lambda *args: [((3, 2), True)],
    lambda *args: (torch.tensor(1), torch.tensor(2), torch.tensor(3.0)),
    lambda *args: (torch.ones(2, 2).long(),) * 2,
    lambda *args: (torch.tensor([-1]), torch.tensor([10**9])),
    lambda *args: (torch.tensor([1]), torch.tensor([1, 2]), torch.tensor([])),
    lambda *args: (torch.tensor([0]), torch.tensor([0]), torch.tensor([1j])),
    lambda *args: {1: {"log_prob": None}},
    lambda *args: {"token": "a", "sentence": 10**400, "sum": []},
]
ANSWERS = [
    *STUBS,
    *LISTS,
    recursive,
    print,
    torch.ones(3),
    7,
    Odd(),
    lambda *args: Nameless(),
    nn.Linear(2, 2),
    lambda *args: np.ones((3, 4), dtype=bool),
    lambda *args: torch.tensor(float("nan")),
    lambda *args: torch.tensor(1j),
    lambda *args: torch.tensor([1j]),
    lambda *args: torch.ones(0),
    lambda *args: torch.ones(3, 4, device="meta"),
    lambda *args: args,
    lambda: None,
    mutants04.mask_edits_input,
    mutants04.fills_in_place,
    mutants04.class_axis,
]


@pytest.mark.parametrize("id", IDS)
def test_interactive_checks_never_raise_whatever_comes(id, capsys):
    for answer in ANSWERS:
        assert check(id, answer) is None
        printed = capsys.readouterr()
        assert printed.out.strip() and not printed.err
        assert ": correct" not in printed.out.splitlines()[0]


@pytest.mark.parametrize("id", IDS)
def test_interactive_right_answers_print_correct(id, capsys):
    assert check(id, REGISTER[id].reference) is None
    printed = capsys.readouterr()
    assert ": correct" in printed.out.splitlines()[0] and not printed.err


def test_an_error_shows_arguments_last_line_and_place(capsys):
    def length_mask(lengths, max_len):
        width = max_len
        return torch.arange(width) < lengths

    check("4.2", length_mask)
    text = " ".join(capsys.readouterr().out.split())
    assert "it stops with an error" in text
    assert "I fed: lengths = [3, 1, 2], max_len = 4" in text
    assert "RuntimeError: The size of tensor a (4) must match" in text
    assert "in length_mask, line" in text and "return torch.arange(width) < lengths" in text
    assert __file__ not in text


def lengths_of_three():
    return torch.tensor([3, 1, 2])


SCORES = torch.zeros(3, 4, 5)
KINDS = {
    "name": [lambda: length_maks, lambda: __import__("trch")],  # noqa: F821
    "attribute": [lambda: SCORES.unsqeeze(0), lambda: None.size(0)],
    "single": [
        lambda: 1 if lengths_of_three() > 1 else 0,
        lambda: range(lengths_of_three()),
        lambda: lengths_of_three().item(),
        lambda: float(lengths_of_three()),
    ],
    "call": [
        lambda: nn.functional.nll_loss(SCORES),
        lambda: nn.functional.nll_loss(SCORES, SCORES, ignore=0),
        lambda: SCORES.gather(SCORES, -1),
        lambda: SCORES.sum("x"),
        lambda: length_mask(SCORES),
    ],
    "dtype": [
        lambda: SCORES.gather(-1, SCORES),
        lambda: nn.functional.nll_loss(SCORES[0], SCORES[0, :, 0]),
        lambda: lengths_of_three().mean(),
        lambda: 1 - (lengths_of_three() > 1),
        lambda: ~SCORES,
        lambda: SCORES[torch.ones(3)],
        lambda: lengths_of_three().masked_fill(lengths_of_three(), 0),
        lambda: lengths_of_three().log_softmax(0),
        lambda: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.int64),
    ],
    "gradient": [lambda: SCORES.sum().backward(), lambda: SCORES.clone().requires_grad_().numpy()],
    "type": [lambda: SCORES * None, lambda: "a" + SCORES, lambda: SCORES()],
    "axis": [lambda: lengths_of_three().sum(2), lambda: lengths_of_three()[:, 0]],
    "index": [
        lambda: lengths_of_three()[5],
        lambda: SCORES.gather(-1, torch.full((3, 4, 1), 9)),
        lambda: nn.functional.nll_loss(SCORES[0], torch.full((4,), 9)),
        lambda: [1][3],
    ],
    "size": [
        lambda: torch.arange(4) < lengths_of_three(),
        lambda: SCORES[torch.ones(4, 3, dtype=torch.bool)],
        lambda: SCORES.gather(-1, torch.zeros(3, 4, dtype=torch.int64)),
        lambda: nn.functional.cross_entropy(SCORES, torch.zeros(3, 4, dtype=torch.int64)),
        lambda: nn.functional.nll_loss(SCORES[0], torch.zeros(3, dtype=torch.int64)),
        lambda: SCORES.view(7, 3),
        lambda: SCORES @ SCORES,
        lambda: torch.cat([SCORES, SCORES[0]]),
    ],
    "other": [lambda: 1 / 0],
}


@pytest.mark.parametrize("kind", [*texts.general.ERRORS, "other"])
def test_the_question_after_an_error_fits_its_kind(kind):
    for i, breaks in enumerate(KINDS[kind]):
        shown, finding = engine.judge("4.2", lambda *args, breaks=breaks: breaks())
        assert (finding.state, finding.name) == ("error", "raised")
        question = texts.general.ERRORS.get(kind, texts.general.FINDINGS["raised"][1])
        assert shown.lines[-1] == (texts.say("question"), question), (i, shown.text)


def test_the_place_of_an_error_is_in_the_learner_s_code():
    def answer(lengths, max_len):
        return sequence_mask(lengths[None], max_len)  # the library raises

    text = " ".join(engine.judge("4.2", answer)[0].text.split())
    assert "in answer, line" in text and "return sequence_mask(lengths[None], max_len)" in text
    assert "check_lengths" not in text


def test_a_wrong_number_of_parameters_shows_no_place_in_the_engine(capsys):
    check("4.2", lambda lengths: sequence_mask(lengths))
    text = capsys.readouterr().out
    assert "takes 1 positional argument but 2 were given" in " ".join(text.split())
    assert "(in " not in text


def test_what_the_code_printed_helps_when_it_is_wrong(capsys):
    def chatty(lengths, max_len):
        print("width", max_len)
        print(*range(20), sep="\n")
        return mutants04.MASK_MUTANTS[4].function(lengths, max_len)

    check("4.2", chatty)
    text = " ".join(capsys.readouterr().out.split())
    assert "Your code printed: width 4 0 1 2 ..." in text
    assert "width 3" not in text  # only of the call that is shown


# ---------------------------------------------------------------- grading


@pytest.mark.parametrize("id", IDS)
def test_grading_raises_unless_correct_with_the_text_of_the_check(id, monkeypatch, capsys):
    answers = [None, "F", mutants04.summed, released, recursive]
    # nbgrader 0.9.6 sets one of these two
    for answer, value in zip(answers, ["autograde", "validate"] * 3, strict=False):
        check(id, answer)
        interactive = capsys.readouterr().out.rstrip("\n")
        monkeypatch.setenv(engine.GRADING, value)
        with pytest.raises(AssertionError) as raised:
            check(id, answer)
        monkeypatch.delenv(engine.GRADING)
        with pytest.raises(AssertionError):
            grade(id, answer)
        printed = capsys.readouterr()
        assert not printed.out and not printed.err
        # the random probes are others, the heading is the same
        assert str(raised.value).splitlines()[0] == interactive.splitlines()[0]


@pytest.mark.parametrize("id", IDS)
def test_grading_lets_a_right_answer_pass_silently_on_stderr(id, grading, capfd):
    assert check(id, REGISTER[id].reference) is None
    assert grade(id, REGISTER[id].reference) is None
    printed = capfd.readouterr()
    assert printed.out.count(": correct") == 2 and not printed.err


def test_grading_writes_no_notes(grading):
    grade("4.2", length_mask)
    check("4.2", length_mask)
    solution("4.2")
    assert not notes.path().exists()


def test_an_empty_variable_is_not_grading(monkeypatch, capsys):
    monkeypatch.setenv(engine.GRADING, "")
    check("4.2", None)  # grading would raise
    assert "4.2" in capsys.readouterr().out


# ---------------------------------------------------------------- quiet and without a trace

LOG = logging.getLogger("learner")


def noisy(lengths, max_len):
    print("debug", lengths)
    print("to stderr", file=sys.stderr)
    warnings.warn("careful", UserWarning, stacklevel=1)
    LOG.warning("logged")
    nn.GRU(3, 4, dropout=0.1)  # warns by itself
    return length_mask(lengths, max_len)


@pytest.mark.parametrize("strict", [False, True])
def test_noise_costs_nothing(strict, monkeypatch, capfd):
    handler = logging.StreamHandler(sys.__stderr__)  # holds the real stderr, as notebooks' do
    LOG.addHandler(handler)
    try:
        if strict:
            monkeypatch.setenv(engine.GRADING, "validate")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check("4.2", noisy)
            filters = list(warnings.filters)
            shows = warnings.showwarning
            check("4.2", noisy)
            assert warnings.filters == filters and warnings.showwarning is shows
    finally:
        LOG.removeHandler(handler)
    printed = capfd.readouterr()
    assert printed.out.count(": correct") == 2
    assert "debug" not in printed.out and not printed.err
    assert logging.root.manager.disable == logging.NOTSET


def test_the_streams_are_put_back_after_an_error(capsys):
    before = sys.stdout, sys.stderr
    check("4.2", recursive)
    assert (sys.stdout, sys.stderr) == before


def seed_all(seed):
    # the old global generator of numpy is meant here: learners use it
    torch.manual_seed(seed), random.seed(seed), np.random.seed(seed)  # noqa: NPY002


def draw_all():
    return torch.rand(3).tolist(), random.random(), np.random.rand()  # noqa: NPY002


def reseeds(log_probs, targets, lengths):
    seed_all(99), draw_all()
    return masked_nll(log_probs, targets, lengths)


def test_random_numbers_outside_do_not_notice_a_check():
    seed_all(5)
    expected = draw_all()
    seed_all(5)
    for answer in (masked_nll, reseeds, mutants04.summed):
        engine.judge("4.3", answer)
    assert draw_all() == expected


def test_probes_are_drawn_from_a_generator_of_the_check_s_own():
    torch.manual_seed(5)
    one = torch.rand(3, generator=probes.fresh_generator())
    torch.manual_seed(5)
    assert not torch.equal(one, torch.rand(3, generator=probes.fresh_generator()))
    first, second = (probes.fresh_generator(3).initial_seed() for _ in range(2))
    assert first == second == 3


def test_gradients_are_on_again_in_a_notebook_that_switched_them_off():
    with torch.no_grad():
        assert state("4.3", masked_nll) == "correct"
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("id", "answer", "name"),
    [
        ("4.2", mutants04.mask_edits_input, "lengths"),
        ("4.3", mutants04.fills_in_place, "log_probs"),
        ("4.5", mutants04.marks_in_place, "targets"),
    ],
)
def test_a_changed_argument_is_named_and_the_next_probe_is_not_spoilt(id, answer, name):
    shown, finding = engine.judge(id, answer)
    assert finding.name == "argument_changed"
    assert f"changed its argument {name}:" in " ".join(shown.text.split())


def test_every_call_gets_copies():
    seen = []

    def keeps(lengths, max_len):
        seen.append((lengths, lengths.tolist()))
        return sequence_mask(lengths.fill_(1), max_len)

    assert engine.judge("4.2", keeps)[1].name == "argument_changed"
    assert max(max(values) for _, values in seen) > 1
    assert all((lengths == 1).all() for lengths, _ in seen)


# ---------------------------------------------------------------- unknown ids, levels


@pytest.mark.parametrize(
    "call", [lambda id: check(id, 1), lambda id: grade(id, None), hint, solution, points]
)
@pytest.mark.parametrize("id", ["4.9", "4.6b", "", "four", 4.2, None, ["4.2"]])
def test_unknown_ids_list_the_valid_ones(call, id):
    with pytest.raises(ValueError, match=r"Valid: .*\b4\b") as raised:
        call(id)
    named = [known for known in IDS if known in str(raised.value)]
    if "." in str(id):
        assert named == (["4.6b1", "4.6b2", "4.6b3"] if id == "4.6b" else list(IDS))


def test_an_id_is_registered_once():
    exercise_module = sys.modules["seq2seq_lib.course.judging.exercise"]
    with pytest.raises(ValueError, match="4.2 is registered twice"):
        exercise_module.register(REGISTER["4.2"])


def test_points_add_up():
    assert points("4.2") == 4
    assert points("4") == sum(e.points for e in exercises("4")) == 31
    assert sum(e.points for e in exercises("4") if not e.manual) == 25
    with pytest.raises(ValueError, match="No exercises in chapter '99'"):
        exercises("99")


@pytest.mark.parametrize("id", IDS)
def test_hints_come_in_three_levels(id, capsys):
    seen = []
    for level in (1, 2, 3):
        assert hint(id, level) is None
        seen.append(capsys.readouterr().out)
        assert f"hint {level} of 3" in seen[-1]
    hint(id)
    assert capsys.readouterr().out == seen[0]
    assert f'hint("{id}", 2)' in " ".join(seen[0].split())
    assert "____" in seen[2] and "____" not in seen[0] + seen[1]
    for level in (0, 4, "1", 1.0):
        with pytest.raises(ValueError, match="level must be 1 to 3"):
            hint(id, level)


@pytest.mark.parametrize("id", IDS)
def test_solutions_show_source_and_reason(id, capsys):
    assert solution(id) is None
    text = capsys.readouterr().out
    reference = REGISTER[id].reference
    assert " ".join(texts.of(id)["solution"].split()) in " ".join(text.split())
    if callable(reference):
        code = inspect.getsource(reference)
        assert all(line.strip() in text for line in code.splitlines())
    else:
        assert f"The letter is {reference}." in text


# ---------------------------------------------------------------- how it looks


def words(page):
    page = re.sub(r"<br>|</div>|</pre>", " ", page)
    return html.unescape(re.sub(r"<[^>]+>", "", page)).split()


def plain_words(text):
    return text.split()


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("answer", [None, "A", "<b>", mutants04.summed, length_mask, recursive])
def test_html_carries_the_same_words_escaped(id, answer):
    shown, _ = engine.judge(id, answer)
    assert words(shown.html) == plain_words(shown.text)


def test_html_escapes_what_came_from_the_learner():
    shown, _ = engine.judge("4.2", lambda *args: "<script>alert(1)</script>")
    assert "<script>alert(1)</script>" in shown.text
    assert "<script>" not in shown.html and "&lt;script&gt;" in shown.html


def contrast(one, two):
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    bright, dark = sorted((light(one), light(two)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_edges_are_seen_on_light_and_dark_and_text_keeps_the_theme_s_colour():
    for edge in report.EDGES.values():
        assert contrast(edge, "#ffffff") > 3 and contrast(edge, "#111111") > 3
    page = engine.judge("4.2", length_mask)[0].html
    assert not re.search(r"[^-]color:|background", page)


def test_states_are_told_apart_without_colour():
    seen = {engine.judge("4.2", a)[0].text[0] for a in (None, length_mask, recursive, noisy, 1)}
    assert seen == {"○", "✓", "!", "✗"}
    headings = [texts.say(s) for s in ("correct", "wrong", "error", "not_attempted")]
    assert len(set(headings)) == 4


def test_lines_fit_a_terminal():
    for id in IDS:
        for answer in (None, REGISTER[id].reference, recursive):
            for line in engine.judge(id, answer)[0].text.splitlines():
                assert len(line) <= 100 or "://" in line


@pytest.mark.parametrize("id", IDS)
def test_what_a_right_or_untouched_answer_shows_is_constant(id):
    for answer in (REGISTER[id].reference, None):
        one, two = (engine.judge(id, answer)[0] for _ in range(2))
        assert (one.text, one.html) == (two.text, two.html)


def test_a_wrong_answer_that_the_first_probes_show_reads_the_same_each_time():
    for id, answer in (("4.2", mutants04.MASK_MUTANTS[3].function), ("4.3", mutants04.summed)):
        assert engine.judge(id, answer)[0] == engine.judge(id, answer)[0]


@pytest.fixture
def shell():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shell = InteractiveShell.instance()
    yield capture_output
    type(shell).clear_instance()
    for name in ("get_ipython",):  # IPython leaves it behind
        if hasattr(builtins, name):
            delattr(builtins, name)


def test_jupyter_gets_html_and_the_same_plain_text(shell):
    with shell() as captured:
        check("4.2", None)
        hint("4.2", 3)
        solution("4.2")
    shown, _ = engine.judge("4.2", None)
    assert captured.outputs[0].data == {"text/plain": shown.text, "text/html": shown.html}
    assert len(captured.outputs) == 3
    for output in captured.outputs:
        assert set(output.data) == {"text/plain", "text/html"}
        assert words(output.data["text/html"]) == output.data["text/plain"].split()


def test_jupyter_prints_under_grading(shell, grading):
    with shell() as captured:
        check("4.2", length_mask)
    assert not captured.outputs and ": correct" in captured.stdout and not captured.stderr


def test_a_console_without_the_symbols_still_gets_the_text():
    raw = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(raw, encoding="cp1252")) as console:
        check("4.2", length_mask)
        console.flush()
    assert b"? 4.2 length_mask: correct" in raw.getvalue()


# ---------------------------------------------------------------- notes


def test_notes_count_tries_and_remember_help():
    check("4.2", None)
    check("4.2", mutants04.mask_without_return)
    solution("4.2")
    check("4.2", length_mask)
    check("4.3", masked_nll)
    solution("4.3")  # looked at afterwards: no help
    kept = json.loads(notes.path().read_text(encoding="utf-8"))
    assert kept["4.2"]["tries"] == 2 and kept["4.2"]["assisted"]
    assert abs(kept["4.2"]["solved"] - time.time()) < 60
    assert "assisted" not in kept["4.3"]
    assert not list(notes.path().parent.glob("*.tmp"))


def test_progress_prints_every_exercise(capsys):
    check("4.2", length_mask)
    check("4.3", None)
    capsys.readouterr()
    progress("4")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [e.id for e in exercises("4")]
    assert "solved, checked 1 times, 1 minutes after the first check" in lines[1]
    assert "open, checked 0 times" in lines[2]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"4.2": 3}', "\x00"])
def test_a_broken_file_of_notes_costs_nothing(content, capsys):
    notes.path().parent.mkdir()
    notes.path().write_text(content, encoding="utf-8")
    check("4.2", length_mask)
    solution("4.2")
    assert "correct" in capsys.readouterr().out


def test_notes_that_cannot_be_written_cost_nothing(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "progress.json", tmp_path):
        monkeypatch.setenv(notes.VARIABLE, str(place))
        check("4.2", length_mask)
        assert ": correct" in capsys.readouterr().out
    monkeypatch.delenv(notes.VARIABLE)
    monkeypatch.setattr(notes, "path", lambda: 1 / 0)
    check("4.2", length_mask)


@pytest.mark.parametrize("value", ["off", "", "0", "OFF"])
def test_notes_can_be_switched_off(value, monkeypatch, capsys):
    monkeypatch.setenv(notes.VARIABLE, value)
    assert notes.path() is None
    check("4.2", length_mask)
    progress("4")


def test_without_the_variable_notes_lie_in_the_user_s_cache(monkeypatch):
    monkeypatch.delenv(notes.VARIABLE)
    assert notes.path().name == "progress.json"
    assert "seq2seq_lib" in notes.path().parts


# ---------------------------------------------------------------- as a whole


def test_a_script_needs_no_ipython_and_no_network():
    code = (
        "import sys\n"
        "from seq2seq_lib.course import check\n"
        "check('4.2', None)\n"
        "assert 'IPython' not in sys.modules and 'nbgrader' not in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", code],
        capture_output=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr
    assert "not attempted" in result.stdout and not result.stderr


def test_public_names():
    assert checks.__all__ == sorted(checks.__all__)
    for name in checks.__all__:
        assert inspect.getdoc(getattr(checks, name))


@pytest.mark.parametrize(
    ("value", "expected", "where"),
    [
        ({"a": 1, "b": 2.0}, {"a": 1, "b": 3.0}, " at ['b']"),
        ({1: {"mode": 0.5}}, {1: {"mode": 0.25}}, " at [1]['mode']"),
        ({"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([1.0, 3.0])}, " at ['a'][1]"),
        ([(1, 2.0)], [(1, 3.0)], " at [0][1]"),
        ({"a": 1, "b": 2}, {"a": 1}, ""),  # one too many
        ({"b": 2}, {"a": None}, ""),
        (torch.tensor([1, 2]).int(), torch.tensor([1, 2]), ""),  # another dtype
        (torch.tensor([1, 2]), torch.tensor([1.0, 2.0]), ""),
    ],
)
def test_the_first_difference_has_a_place(value, expected, where):
    assert not compare.same_value(value, expected)
    found = compare.first_difference(value, expected)
    assert found["where"] == where and found["yours"] != found["right"]


def test_texts_are_compared_letter_by_letter():
    assert compare.same_value(["sixt", "een"], ("sixt", "een"))
    assert not compare.same_value(["six", "teen"], ["sixt", "een"])
    assert not compare.same_value("1", 1) and not compare.same_value("", None)


def test_sandbox_sees_writes_into_lists_tuples_and_dicts():
    def writes(a, b, c):
        a[0].add_(1)
        b[1]["x"].append(3)

    args = {"a": [torch.ones(2)], "b": (1, {"x": [2]}), "c": {"y": torch.ones(1)}}
    run = sandbox.run(writes, args)
    assert run.error is None and run.changed == ("a", "b")
    assert args["b"] == (1, {"x": [2]}) and args["a"][0].tolist() == [1.0, 1.0]


def test_sandbox_compares_nan_as_equal():
    one = torch.tensor([1.0, float("nan")])
    assert sandbox.unchanged(one, one.clone())
    assert not sandbox.unchanged(one, torch.tensor([1.0, 2.0]))
    assert not sandbox.unchanged(one, one.double())
    assert not sandbox.unchanged(one, one[None])
