"""A language of 30 words in which each sentence says one thing twice, names swapped.

    anna sees boris and boris sees anna

20 names and 9 verbs, two different names, all drawn uniformly: 3,420 sentences, so their entropy
is log 3420 = 8.14 nats. Who has read the first half can write the second one.
"""

import math
from collections.abc import Sequence

import torch

NAMES = (
    "anna boris carla david elena felix greta hugo irene jonas "
    "karla leon maria nils olga peter rosa simon tina viktor"
).split()
VERBS = "calls finds follows helps hears likes meets sees thanks".split()
ECHO_WORDS = (*NAMES, *VERBS, "and")
ECHO_ENTROPY = math.log(len(NAMES) * (len(NAMES) - 1) * len(VERBS))  # nats a sentence


def echo_sentence(first: str, verb: str, second: str) -> list[str]:
    """Seven words."""
    return [first, verb, second, "and", second, verb, first]


def echo_sentences(number: int, generator: torch.Generator) -> list[list[str]]:
    """``number`` sentences, independent and uniform, so that some may be equal."""
    names, verbs = len(NAMES), len(VERBS)
    first = torch.randint(names, (number,), generator=generator)
    shift = torch.randint(1, names, (number,), generator=generator)  # never 0: two people
    verb = torch.randint(verbs, (number,), generator=generator)
    drawn = zip(first.tolist(), ((first + shift) % names).tolist(), verb.tolist(), strict=True)
    return [echo_sentence(NAMES[a], VERBS[v], NAMES[b]) for a, b, v in drawn]


def is_mirrored(words: Sequence[str]) -> bool:
    """Whether the second half says the first one again, whatever words they are."""
    return len(words) == 7 and words[3] == "and" and list(words[:3]) == list(words[:3:-1])
