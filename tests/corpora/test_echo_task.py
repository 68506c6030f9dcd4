"""The echo language: its size, its entropy, its form."""

import math
from collections import Counter

import torch

from seq2seq_lib.corpora.echo_task import (
    ECHO_ENTROPY,
    ECHO_WORDS,
    NAMES,
    VERBS,
    echo_sentence,
    echo_sentences,
    is_mirrored,
)


def test_a_sentence_says_one_thing_twice_with_the_names_swapped():
    words = "anna sees boris and boris sees anna".split()
    assert echo_sentence("anna", "sees", "boris") == words
    assert is_mirrored(words)
    assert not is_mirrored("anna sees boris and anna sees boris".split())
    assert not is_mirrored("anna sees boris and boris sees".split())
    assert not is_mirrored([])


def test_all_sentences_come_and_no_others():
    drawn = Counter(map(tuple, echo_sentences(60_000, torch.Generator().manual_seed(0))))
    assert len(drawn) == 20 * 19 * 9 == round(math.exp(ECHO_ENTROPY))
    assert all(is_mirrored(words) and words[0] != words[2] for words in drawn)
    assert {word for words in drawn for word in words} == set(ECHO_WORDS)
    assert len(set(NAMES)) == 20 and len(set(VERBS)) == 9
    # 60,000 / 3,420 = 17.5 each: the most frequent of 3,420 Poisson counts is rarely above 40
    assert max(drawn.values()) < 45


def test_the_generator_decides():
    def draw(seed):
        return echo_sentences(20, torch.Generator().manual_seed(seed))

    assert draw(1) == draw(1) != draw(2)
    assert echo_sentences(0, torch.Generator()) == []
