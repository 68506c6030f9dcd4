"""What an exercise may be handed in as, without an answer."""

import torch


def released(*args):
    # YOUR CODE HERE
    raise NotImplementedError()


def passes(*args):
    pass


def dots(*args): ...


def documented(*args):
    """Only a docstring."""


def blank(numbers, limit):
    divisors = torch.arange(limit)
    return divisors[____] % numbers[____] == 0  # noqa: F821


def blank_inside(*args):
    return [____ for _ in args]  # noqa: F821


def half_done(*args):
    torch.ones(3)
    raise NotImplementedError("later")


def calls_a_stub(*args):
    return released(*args)


UNTOUCHED = [released, passes, dots, documented]
STUBS = [*UNTOUCHED, blank, blank_inside, half_done, calls_a_stub]


def recursive(*args):
    return recursive(args)  # Python 3.15.2 counts no calls with a star, and memory runs out
