"""Comparing what came back with what should have."""

import numpy as np
import pytest
import torch

from seq2seq_lib.course.judging import describe, steps

ONE, INFINITE = torch.tensor([1.5]), torch.tensor([float("inf")])


@pytest.mark.parametrize(
    ("step", "value", "finding"),
    [
        (steps.is_tensor, ONE, None),
        (steps.is_tensor, None, "no_return"),
        (steps.is_tensor, "text", "not_a_tensor"),
        (steps.has_shape, ONE, None),
        (steps.has_shape, ONE[None], "shape"),
        (steps.is_number, 1.5, None),
        (steps.is_number, None, "no_return"),
        (steps.is_number, True, "not_a_number"),
        (steps.is_number, ONE, "not_a_number"),
        (steps.is_int64, ONE.long(), None),
        (steps.is_int64, ONE, "floats"),
        (steps.is_bool, ONE > 1, None),
        (steps.is_bool, ONE, "not_bool"),
        (steps.is_finite_float, ONE, None),
        (steps.is_finite_float, ONE.long(), "not_float"),
        (steps.is_finite_float, ONE.half(), "half_precision"),
        (steps.is_finite_float, INFINITE, "not_finite"),
        (steps.half_precision, ONE, None),
        (steps.half_precision, ONE.bfloat16(), "half_precision"),
        (steps.half_precision, 1.5, None),
    ],
)
def test_a_step_has_one_name_for_what_it_finds(step, value, finding):
    """With no known mistake beside it that would say the same."""
    found = step(value, ONE)
    assert (found and found[0]) == finding


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
        (torch.tensor(1.0), torch.tensor(2.0), ""),
        (torch.tensor(2.40512), torch.tensor(2.40483), ""),  # alike in four digits
        ([2.40512], [2.40483], " at [0]"),
        (["six", "teen"], ["sixt", "een"], " at [0]"),
        ("1", 1, ""),
        (torch.eye(2).to_sparse(), torch.eye(2), ""),
    ],
)
def test_the_first_difference_has_a_place(value, expected, where):
    assert not steps.same_value(value, expected)
    found = steps.first_difference(value, expected)
    assert found["where"] == where and found["yours"] != found["right"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (torch.tensor([1.0, float("nan")]), torch.tensor([1.0, float("nan")])),
        (torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64)),
        (torch.tensor([1.0]), torch.tensor([1.0 + 1e-6])),
        ([(1, 2.0)], ([1, 2.0],)),
        ([torch.tensor(1.5), torch.tensor([1, 2])], [1.5, [1, 2]]),
        ([np.float32(1.5), np.int64(3)], [1.5, 3]),
        (2**62, float(2**62)),
        ({"a": None}, {"a": None}),
        (["sixt", "een"], ("sixt", "een")),
        (["low", ("er", "est")], ["low", ["er", "est"]]),
    ],
)
def test_what_means_the_same_is_the_same(one, two):
    assert steps.same_value(one, two) and steps.same_value(two, one)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (torch.ones(1, 2), torch.ones(2)),  # nothing is broadcast
        (torch.tensor([1]), torch.tensor([1.0])),
        (torch.tensor([1]), torch.tensor([True])),
        (torch.tensor([1.0]), torch.tensor([1.001])),
        (torch.ones(2, device="meta"), torch.ones(2)),
        (2**63, float(2**63)),
        ([1], [1, 1]),
        ([np.eye(2)], [[[1.0, 0.0], [0.0, 1.0]]]),  # one axis may be a list
        ([torch.eye(2)], [[[1.0, 0.0], [0.0, 1.0]]]),
        ({"a": 1}, {"b": 1}),
        (None, 0),
        ("low", "lower"),
        ("1", 1),
    ],
)
def test_what_is_not_the_same_is_not(one, two):
    assert not steps.same_value(one, two) and not steps.same_value(two, one)


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (torch.tensor([[True, False], [True, True]]), "bool [2, 2]: 10 11"),
        (torch.tensor([1.5, 2.0]), "float32 [2]: 1.5 2"),
        (torch.tensor(2.3456789), "2.346 (float32, 0-dim)"),
        (torch.ones(9, 9), "float32 [9, 9]"),
        (torch.eye(2).to_sparse(), "float32, sparse"),
        (torch.ones(2, 3, device="meta"), "float32 [2, 3]"),
        ([1.23456, (2,)], "[1.235, (2,)] (list)"),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, ...] (list of 9)"),
        (np.eye(2), "array([[1., 0.], [0., 1.]]) (ndarray)"),
        (None, "None"),
        (len, "the function len"),
    ],
)
def test_a_value_is_described_in_a_few_words(value, described):
    assert describe.value(value) == described


def test_a_value_is_cut_exactly_where_it_gets_too_long():
    whole, cut = "y" * 78, "y" * 79  # quotes make them 80 and 81 long
    assert describe.value(whole) == f"'{whole}' (str)"
    assert describe.value(cut) == f"'{cut[:76]}... (str)"
    lists = [["y" * 70] * 3 + ["y" * more] for more in (14, 15)]
    assert [len(str(texts)) for texts in lists] == [describe.WIDE, describe.WIDE + 1] == [240, 241]
    assert describe.value(lists[0]) == f"{lists[0]} (list)"
    assert describe.value(lists[1]) == f"{str(lists[1])[:237]}... (list)"
    assert describe.value(list(range(6))) == "[0, 1, 2, 3, 4, 5] (list)"
    assert describe.value(torch.arange(24)).endswith(": 0 1 " + " ".join(map(str, range(2, 24))))
    for shape in ([25], [0], [1, 1, 2]):
        assert describe.value(torch.zeros(shape)) == f"float32 {shape}"
