"""The patient of chapter 9's bug clinic: a corpus score that is made with its last sentence.

Rewritten from scratch, small. https://github.com/nltk/nltk/pull/3903 reports a corpus BLEU that
adds up counts and then smooths with variables of the last pair.
"""

import math
from collections import Counter

from seq2seq_lib.course.assets.translation import phrase_corpus, phrase_outputs

# What `reproduce_log()` returns; a test compares the two.
LOG = """\
1  one line, by hand 62.23             62.23
2  eight lines, as they came          354.98
3  the same lines, shortest first     270.94
4  the same lines, shortest last      546.07
5  the references themselves          460.45
"""


def patient_score(hypotheses: list[str], references: list[str]) -> float:
    """Should be BLEU of a corpus, orders from 2 on smoothed by adding one; 0 to 100.

    Args:
        hypotheses, references: equally many lines, words between spaces.
    """
    matches, c, r = [0] * 4, 0, 0
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        hyp, ref = hypothesis.split(), reference.split()
        for n in range(1, 5):
            ours = Counter(tuple(hyp[i : i + n]) for i in range(len(hyp) - n + 1))
            theirs = Counter(tuple(ref[i : i + n]) for i in range(len(ref) - n + 1))
            matches[n - 1] += (ours & theirs).total()  # clipped
        c += len(hyp)
        r += len(ref)
    if not matches[0]:
        return 0.0
    shares = [matches[0] / c]
    for n in range(2, 5):
        ngrams = max(0, len(hyp) - n + 1)
        shares.append((matches[n - 1] + 1) / (ngrams + 1))
    penalty = min(1.0, math.exp(1 - r / c))
    return 100 * penalty * math.prod(shares) ** (1 / 4)


def reproduce_log() -> str:
    """The patient at work on the first lines of a shipped system."""
    corpus = phrase_corpus()
    references = [" ".join(p.target).replace("' ", "'") for p in corpus.test[4:12]]
    outputs = phrase_outputs()["A, 5 beams"][4:12]
    by_length = sorted(zip(outputs, references, strict=True), key=lambda pair: len(pair[0].split()))
    short, long = ([pair[k] for pair in by_length] for k in (0, 1))
    line = "the king sees the small cat near the the house"
    gold = "the king sees the small red cat near the house"
    rows = {
        "1  one line, by hand 62.23": patient_score([line], [gold]),
        "2  eight lines, as they came": patient_score(outputs, references),
        "3  the same lines, shortest first": patient_score(short, long),
        "4  the same lines, shortest last": patient_score(short[::-1], long[::-1]),
        "5  the references themselves": patient_score(references, references),
    }
    return "".join(f"{name:36} {score:7.2f}\n" for name, score in rows.items())


def score_log() -> str:
    """The log that the bug really produces."""
    return LOG
