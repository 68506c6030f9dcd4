"""What a check says: one message, the words that fit, for whatever comes back."""

import functools
import re
import statistics
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from seq2seq_lib.course.judging import engine, error_kinds, sandbox, words
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.masks import sequence_mask
from tests.course.judging.stubs import STUBS, recursive
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex2_divides import divides, does_not_divide, edits_input
from tests.support.toy_course.ch01_toy.ex3_weighted_mean import (
    plain_mean,
    weighted_mean,
    weighted_sum,
)
from tests.support.toy_course.ch01_toy.ex5_extremes import extremes

IDS = [exercise.id for exercise in TOY.exercises()]


def said(id, answer):
    """The name of the finding, and the words of the message on one line."""
    shown, finding = engine.judge(TOY.find(id), answer)
    return finding.name, " ".join(shown.text.split())


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


def holds_itself(*args):
    value = []
    value.append(value)
    return value


def quantized(*args):
    return torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)


ODD_RESULTS = [
    holds_itself,
    recursive,
    quantized,
    lambda *args: [()],
    lambda *args: {"least": (10**400, 1.0), "largest": (2**70, -1.0)},
    lambda *args: {"least": Nameless(), "largest": [torch.ones(2, device="meta"), 1j]},
    lambda *args: {"least": torch.eye(2).to_sparse(), "largest": None},
    lambda *args: {1: {"log_prob": None}},
    lambda *args: Nameless(),
    lambda *args: np.ones((3, 4), dtype=bool),
    lambda *args: np.float32(1),
    lambda *args: torch.tensor(float("nan")),
    lambda *args: torch.tensor(1j),
    lambda *args: torch.tensor([1j]),
    lambda *args: torch.ones(0),
    lambda *args: torch.ones(3, 4, device="meta"),
    lambda *args: torch.eye(3).to_sparse(),
    lambda *args: torch.eye(3).to_sparse_csr(),
    lambda *args: torch.tensor(2.0).to_sparse(),
    lambda *args: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    lambda *args: args,
    lambda: None,
]
ODD_ANSWERS = [*STUBS, *ODD_RESULTS, print, torch.ones(3), 7, Odd(), nn.Linear(2, 2), edits_input]


@pytest.mark.parametrize("id", IDS)
@pytest.mark.filterwarnings("ignore:.*(nested|Sparse|quantize)")  # torch's, of what is tried here
def test_interactive_checks_never_raise_whatever_comes(id, capsys):
    for answer in ODD_ANSWERS:
        assert TOY.check(id, answer) is None
        printed = capsys.readouterr()
        assert printed.out.strip() and not printed.err
        assert ": correct" not in printed.out.splitlines()[0]


@pytest.mark.parametrize("id", IDS)
def test_interactive_right_answers_print_correct(id, capsys):
    exercise = TOY.find(id)
    for answer in (exercise.reference, *exercise.alternatives):
        assert TOY.check(id, answer) is None
        printed = capsys.readouterr()
        assert ": correct" in printed.out.splitlines()[0] and not printed.err


@pytest.mark.parametrize("id", IDS)
def test_known_wrong_answers_hear_their_own_reason(id):
    for mutant in TOY.find(id).mutants:
        name, text = said(id, mutant.function)
        assert name == mutant.finding and not re.search(r"{\w+}", text)


def test_facts_fill_the_message_of_a_known_mistake():
    name, text = said("1.2", lambda numbers, limit: ~divides(numbers, limit))
    assert name == "inverted"
    assert "That means: 5 cells are on: those that do not divide." in text
    assert does_not_divide(torch.tensor([6, 1, 4]), 4).sum() == 5


def test_the_probe_that_shows_a_mistake_is_the_one_that_is_fed():
    """The first two probes hold no number above 9; this one is wrong above 20 alone."""

    def answer(numbers, limit):
        return divides(numbers, limit) | (numbers > 20)[:, None]

    for seed in range(4):
        shown, finding = engine.judge(TOY.find("1.2"), answer, seed)
        assert finding.name == "value"
        fed = dict(shown.lines)["I fed"]
        assert max(map(int, re.findall(r"\d+", fed.split("]")[0]))) > 20


def test_looks_come_in_their_order_over_all_probes():
    """A shape that is wrong at the last probe is told before a value at the first."""

    def answer(numbers, limit):
        table = ~divides(numbers, limit) if len(numbers) < 5 else divides(numbers, limit)[0]
        return table

    assert said("1.2", answer)[0] == "shape"


# ---------------------------------------------------------------- errors


def test_an_error_shows_arguments_last_line_and_place():
    def table(numbers, limit):
        width = limit
        return torch.arange(width) < numbers

    name, text = said("1.2", table)
    assert name == "raised" and "it stops with an error" in text
    assert "I fed: numbers = [6, 1, 4], limit = 4" in text
    assert "RuntimeError: The size of tensor a (4) must match" in text
    assert "in table, line" in text and "return torch.arange(width) < numbers" in text
    assert __file__ not in text


def three():
    return torch.tensor([3, 1, 2])


SCORES = torch.zeros(3, 4, 5)
GATHER_OF_TORCH_2_6 = """gather() received an invalid combination of arguments - got (Tensor, int),
but expected one of: * (int dim, Tensor index, *, bool sparse_grad)"""


def raises(error):
    raise error


KINDS = {
    "name": [lambda: numbres, lambda: __import__("trch")],  # noqa: F821
    "attribute": [lambda: SCORES.unsqeeze(0), lambda: None.size(0)],
    "single": [
        lambda: 1 if three() > 1 else 0,
        lambda: range(three()),
        lambda: three().item(),
        lambda: float(three()),
    ],
    "call": [
        lambda: nn.functional.nll_loss(SCORES),
        lambda: nn.functional.nll_loss(SCORES, SCORES, ignore=0),
        lambda: SCORES.gather(SCORES, -1),
        lambda: raises(TypeError(GATHER_OF_TORCH_2_6)),
        lambda: SCORES.sum("x"),
        lambda: raises(RuntimeError("Name 'x' not found in Tensor[None, None, None].")),
        lambda: divides(SCORES),
    ],
    "dtype": [
        lambda: SCORES.gather(-1, SCORES),
        lambda: nn.functional.nll_loss(SCORES[0], SCORES[0, :, 0]),
        lambda: three().mean(),
        lambda: 1 - (three() > 1),
        lambda: ~SCORES,
        lambda: SCORES[torch.ones(3)],
        lambda: three().masked_fill(three(), 0),
        lambda: three().log_softmax(0),
        lambda: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.int64),
    ],
    "gradient": [lambda: SCORES.sum().backward(), lambda: SCORES.clone().requires_grad_().numpy()],
    "type": [lambda: SCORES * None, lambda: "a" + SCORES, lambda: SCORES()],
    "axis": [lambda: three().sum(2), lambda: three()[:, 0]],
    "index": [
        lambda: three()[5],
        lambda: SCORES.gather(-1, torch.full((3, 4, 1), 9)),
        lambda: nn.functional.nll_loss(SCORES[0], torch.full((4,), 9)),
        lambda: [1][3],
    ],
    "size": [
        lambda: torch.arange(4) < three(),
        lambda: SCORES[torch.ones(4, 3, dtype=torch.bool)],
        lambda: SCORES.gather(-1, torch.zeros(3, 4, dtype=torch.int64)),
        lambda: nn.functional.cross_entropy(SCORES, torch.zeros(3, 4, dtype=torch.int64)),
        lambda: nn.functional.nll_loss(SCORES[0], torch.zeros(3, dtype=torch.int64)),
        lambda: SCORES.view(7, 3),
        lambda: SCORES @ SCORES,
        lambda: torch.cat([SCORES, SCORES[0]]),
    ],
    "recursion": [recursive, functools.lru_cache(recursive)],
    "memory": [
        lambda: np.ones((2**30, 2**20)),
        lambda: torch.ones(2**30, 2**20),
        lambda: torch.arange(2**50),
        lambda: [0] * 2**50,
    ],
    "exit": [lambda: exec("raise SystemExit"), lambda: __import__("sys").exit(1)],
    "meta": [
        lambda: torch.ones((), device="meta").item(),
        lambda: torch.ones(2, device="meta").to("cpu"),
        lambda: torch.ones(2, device="meta").tolist(),
    ],
    "sparse": [
        lambda: torch.eye(2).to_sparse().view(4),
        lambda: torch.eye(2).to_sparse() < torch.ones(2, 2),
        lambda: torch.eye(2).to_sparse().log_softmax(-1),
    ],
    "other": [lambda: 1 / 0],
}


@pytest.mark.parametrize("kind", [*words.ERRORS, "other"])
@pytest.mark.filterwarnings("ignore:.*Sparse")  # torch's, of what is tried here
def test_the_question_after_an_error_fits_its_kind(kind):
    for i, breaks in enumerate(KINDS[kind]):
        shown, finding = engine.judge(TOY.find("1.2"), lambda *args, breaks=breaks: breaks())
        assert (finding.state, finding.name) == ("error", "raised")
        question = words.ERRORS.get(kind, words.FINDINGS["raised"].asks)
        assert shown.lines[-1] == (words.say("question"), question), (i, shown.text)


def test_every_kind_of_error_has_a_question():
    assert {name for name, *_ in error_kinds.KINDS} == set(words.ERRORS)


def test_a_long_error_is_cut():
    text = said("1.2", lambda *args: torch.eye(2).to_sparse().view(4))[1]
    assert "Could not run 'aten::view' with arguments from the 'SparseCPU'" in text
    assert len(text) < 700 and "... (in <lambda>, line" in text
    whole, cut = (ValueError("x" * (count - len("ValueError: "))) for count in (300, 301))
    assert sandbox.last_line(whole) == f"ValueError: {whole}"
    assert sandbox.last_line(cut) == f"ValueError: {cut}"[:297] + "..."


@pytest.mark.parametrize(
    "call",
    [
        lambda numbers: sequence_mask(numbers[None], 3),  # the library raises
        lambda numbers: np.linalg.inv(np.ones((2, 3))),  # an installed package
        lambda numbers: statistics.mean([]),  # Python's own
    ],
)
def test_the_place_of_an_error_is_in_the_learner_s_code(call):
    text = said("1.2", lambda numbers, limit: call(numbers))[1]
    assert re.search(r"\(in <lambda>, line \d+: lambda numbers: \w+", text)


def test_a_wrong_number_of_parameters_shows_no_place_in_the_engine():
    text = said("1.2", lambda numbers: divides(numbers, 3))[1]
    assert "takes 1 positional argument but 2 were given" in text
    assert "(in " not in text


def test_what_the_code_printed_helps_when_it_is_wrong():
    def chatty(numbers, limit):
        print("width", limit)
        print(*range(last), sep="\n")
        return ~divides(numbers, limit)

    last = 3
    assert "Your code printed: width 4 0 1 2 That means" in said("1.2", chatty)[1]
    last = 4
    text = said("1.2", chatty)[1]
    assert "Your code printed: width 4 0 1 2 ..." in text
    assert "width 3" not in text  # only of the call that is shown


# ---------------------------------------------------------------- what came back is no answer


def found_or_none(numbers, limit):
    found = []
    return found or None


def without_a_return(numbers, limit):
    numbers.sum()


def bare_return(numbers, limit):
    def inner():
        return 3

    if len(numbers):
        return
    return None


def return_not_reached(numbers, limit):
    for number in numbers:
        if number != number:
            return numbers


def test_none_behind_a_return_is_not_a_missing_return():
    for answer in (found_or_none, return_not_reached):
        name, text = said("1.2", answer)
        assert name == "no_return" and "An empty list counts as false" in text
        assert "No return was reached, or None stood behind it" in text
    for answer in (without_a_return, bare_return):
        name, text = said("1.2", answer)
        assert name == "no_return" and "ends without giving anything back" in text


@pytest.mark.parametrize(
    ("answer", "words_of_it"),
    [
        (
            lambda n, limit: divides(n, limit).numpy(),
            "That is a NumPy array and no tensor; torch.f",
        ),
        (lambda n, limit: divides(n, limit).tolist(), "That is a list and no tensor; torch.tensor"),
        (lambda n, limit: list(divides(n, limit)), "That is a list and no tensor; torch.stack"),
        (lambda n, limit: tuple(divides(n, limit)), "That is a tuple and no tensor; torch.stack"),
        (lambda n, limit: (divides(n, limit), n), "Those are 2 things, and wanted is one tensor"),
        (lambda n, limit: divides(n, limit).int().max(1), "max, min, sort and topk along an axis"),
        (lambda n, limit: divides(n, limit).sum().numpy(), "That is a number of NumPy and no"),
        (lambda n, limit: divides(n, limit).sum().item(), "That is a plain number and no tensor"),
        (lambda n, limit: True, "That is not a tensor."),
        (lambda n, limit: divides(n, limit).to_sparse(), "That is a sparse tensor"),
        (lambda n, limit: torch.nested.nested_tensor([n, n[:1]]), "That is a nested tensor"),
        (quantized, "That is a quantized tensor"),
        (lambda n, limit: divides(n, limit).to("meta"), "it has a shape and no numbers"),
        (lambda n, limit: "table", "That is not a tensor."),
        (lambda n, limit: SimpleNamespace(shape=(2,)), "That is not a tensor."),
        (lambda n, limit: [], "That is not a tensor."),
        (lambda n, limit: [n, "x"], "That is not a tensor."),
    ],
)
@pytest.mark.filterwarnings("ignore:.*(nested|quantize)")  # torch's, of what is tried here
def test_what_is_no_ordinary_tensor_is_named_with_the_call_that_converts(answer, words_of_it):
    assert words_of_it in said("1.2", answer)[1]


@pytest.mark.parametrize(
    ("dtype", "digits"), [(torch.float16, "3 decimal"), (torch.bfloat16, "2 decimal")]
)
def test_half_precision_is_the_reason_and_not_the_numbers(dtype, digits):
    name, text = said("1.3", lambda *args: weighted_mean(*(arg.to(dtype) for arg in args)))
    assert name == "half_precision"
    assert f"keeps {digits} digits; wanted is float32" in text
    name, _ = said("1.3", lambda *args: weighted_mean(*args).to(dtype))
    assert name == "half_precision"
    assert said("1.3", lambda *args: weighted_mean(*(arg.double() for arg in args)))[0] == ""
    # its range is small too: what overflows is told as what it is
    infinite = said("1.3", lambda *args: weighted_mean(*args).to(dtype) * 1e30 * 1e30)
    assert infinite[0] == "half_precision"


def test_half_precision_is_told_where_no_step_looks_at_the_dtype():
    whole = TOY.find("1.3")
    task = functools.partial(type(whole.task), spec=weighted_mean, probes=whole.task.probes)
    finding = task(steps=()).judge(lambda *args: weighted_mean(*args).half(), torch.Generator())
    assert finding.name == "half_precision"


def test_a_single_number_is_not_the_first_of_several():
    name, text = said("1.3", lambda *args: weighted_mean(*args) + 1)
    assert name == "value"
    assert "it is 2.75; right is 1.75." in text and "first that differs" not in text
    name, text = said("1.2", lambda *args: divides(*args) | True)
    assert name == "value"
    assert "The first that differs at [0, 3] is True; right is False." in text
    name, text = said("1.5", lambda values: extremes(values) | {"largest": (0, 9.0)})
    assert "The first that differs at ['largest'][0] is 0 (int); right is 2 (int)." in text


# ---------------------------------------------------------------- gradients and laws


def half_detached(values, weights):
    mean = weighted_mean(values, weights)
    return mean * 0.5 + mean.detach() * 0.5


def test_a_gradient_by_several_tensors_is_one_row():
    pairs = [
        (torch.tensor([1.0, 2.0]), torch.tensor([3])),
        (torch.tensor([4.0]), torch.tensor([5])),
    ]
    found = sandbox.run(lambda pairs: 2 * pairs[0][0].sum(), {"pairs": pairs}, "pairs").gradient
    assert found.tolist() == [2.0, 2.0, 0.0]  # ids have none; what was not used has 0
    cut_off = sandbox.run(lambda pairs: pairs[0][0].detach().sum(), {"pairs": pairs}, "pairs")
    assert cut_off.gradient is None and not pairs[0][0].requires_grad


def test_a_gradient_that_is_missing_or_wrong_is_told():
    def detached(values, weights):
        return weighted_mean(values.detach(), weights)

    assert said("1.3", detached)[0] == "no_gradient"
    task = changed(TOY.find("1.3").task, mutants=())  # none that says it in its place
    assert task.judge(detached, torch.Generator()).name == "no_gradient"
    name, text = said("1.3", half_detached)
    assert name == "gradient" and "its gradient at [0] is 0.375 instead of 0.75" in text


def test_the_task_says_what_a_leaf_becomes():
    """And without saying so, the argument is what the probe holds: it is not normalised."""
    exercise = TOY.find("1.3")
    seen = []

    def answer(values, weights):
        seen.append((values.requires_grad, values.tolist()))
        return weighted_mean(values, weights)

    engine.judge(exercise, answer)
    plain, differentiated = ({tuple(v) for g, v in seen if g is grad} for grad in (False, True))
    assert differentiated and differentiated <= plain
    seen.clear()
    fields = {**vars(exercise), "task": changed(exercise.task, leaf=torch.exp)}
    assert engine.judge(Exercise(**fields), answer)[1].state == "correct"
    plain, differentiated = ([v for g, v in seen if g is grad] for grad in (False, True))
    assert differentiated[0] == pytest.approx(torch.tensor(plain[0]).exp().tolist())


def changed(task, **fields):
    return type(task)(**{**vars(task), **fields})


def in_place(values, weights):
    values *= weights
    return values.sum() / weights.sum()


def test_a_write_into_the_argument_is_told_as_what_it_is():
    """And not as a gradient that cannot be taken."""
    assert said("1.3", in_place)[0] == "argument_changed"


def squeezes(values, weights):
    """Right on all probes, which hold two values and more; a single one is not divided."""
    total = (values * weights).sum()
    return total / weights.sum() if len(values) > 1 else total


def test_a_case_that_a_law_finds_is_shown_as_one_call():
    name, text = said("1.3", squeezes)
    assert name == "law"
    assert "I fed: values = float32 [1]: 7; weights = float32 [1]: 30" in text
    assert "Came back: 210 (float32, 0-dim); right is 7 (float32, 0-dim)" in text
    assert "finds a case: weights ten times as large. There an axis of values and weights" in text
    assert "an axis that holds one entry" in text


@pytest.mark.parametrize(("count", "alone"), [(1, "values and weights"), (2, None)])
def test_an_axis_of_one_entry_is_named_where_there_is_one(count, alone):
    def law(answer):
        answer(torch.ones(count), torch.ones(count), 1.0)
        broken = SimpleNamespace(name="a case", holds=False)
        return SimpleNamespace(law="a law", holds=False, checks=[broken], counterexample="")

    def spec(values, weights, scale):
        return weighted_mean(values, weights) * scale

    probe = Probe({"values": torch.ones(3), "weights": torch.ones(3), "scale": 1.0}, "three")
    task = FunctionTask(spec, lambda generator: [probe], (), law=law)
    finding = task.judge(lambda *of: spec(*of) if len(of[0]) > 2 else of[0], torch.Generator())
    assert finding.name == "law" and finding.facts.get("alone") == alone


def test_a_law_whose_cases_are_right_one_by_one_speaks_for_itself():
    """What it compares is then between calls, and its own counterexample is all there is."""
    calls = []

    def answer(values, weights):
        calls.append(1)
        return weighted_mean(values, weights) + (0.01 if len(calls) == 8 else 0.0)

    name, text = said("1.3", answer)  # 3 probes, 3 gradients: then the law calls
    assert name == "law" and "2 values" in text and "it is" in text


# ---------------------------------------------------------------- exercises


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": "four"}, "An id looks like"),
        ({"kind": "Q"}, "1.3: unknown kind 'Q'. Valid: P, F, I, D, X"),
        ({"difficulty": 6}, "1.3: difficulty must be 1 to 5, but it is 6"),
        ({"importance": 0}, "1.3: importance must be 1 to 5, but it is 0"),
    ],
)
def test_an_exercise_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Exercise(**{**vars(TOY.find("1.3")), **fields})


def test_two_mutants_may_share_a_finding_and_the_first_is_enough():
    exercise = TOY.find("1.3")
    task = changed(
        exercise.task, mutants=(Mutant("total", weighted_sum), Mutant("total", plain_mean))
    )
    for answer in (weighted_sum, plain_mean):
        assert task.judge(answer, torch.Generator().manual_seed(1)).name == "total"


def test_wrong_numbers_may_be_explained_beside_the_arguments():
    def explain(probe, value, expected):
        return ("unweighted", {}) if float(value) > float(probe.args["values"].max()) else None

    task = changed(TOY.find("1.3").task, explain=explain, mutants=())
    generator = torch.Generator()
    assert task.judge(lambda *args: weighted_mean(*args) + 9, generator).name == "unweighted"
    assert task.judge(lambda *args: weighted_mean(*args) - 9, generator).name == "value"


def test_a_known_mistake_is_shown_at_the_probe_where_it_is_seen():
    """And not at an earlier one, where something else is wrong too."""

    def two_mistakes(numbers, limit):
        return ~divides(numbers, limit) if limit == 4 else edits_input(numbers, limit)

    task = changed(
        TOY.find("1.2").task, mutants=(Mutant("argument_changed", two_mistakes),), facts=None
    )
    finding = task.judge(two_mistakes, torch.Generator())
    assert finding.name == "argument_changed" and finding.facts["names"] == "numbers"
    assert "limit = 3" in finding.fed
