"""Exercise 9.3: chrF of one sentence."""

from collections import Counter

import torch

from seq2seq_lib.course.ch09_real_translation.steps import is_number
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside


def chrf_sentence_spec(h: str, r: str, max_n: int, beta: float) -> float:
    one, two = [c for c in h if c != " "], [c for c in r if c != " "]
    precisions, recalls = [], []
    for n in range(1, max_n + 1):
        left = [two[i : i + n] for i in range(len(two) - n + 1)]
        ours, theirs, hits = len(one) - n + 1, len(left), 0
        for i in range(ours):
            if one[i : i + n] in left:
                left.remove(one[i : i + n])
                hits += 1
        if ours > 0 and theirs > 0:
            precisions.append(hits / ours)
            recalls.append(hits / theirs)
    if not precisions or sum(precisions) == 0:
        return 0.0
    p, q = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 100 * (1 + beta**2) * p * q / (beta**2 * p + q)


def chrf_sentence(h: str, r: str, max_n: int, beta: float) -> float:
    def count(text: str, n: int) -> Counter:
        letters = text.replace(" ", "")
        return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))

    precision = recall = orders = 0
    for n in range(1, max_n + 1):
        ours, theirs = count(h, n), count(r, n)
        if ours and theirs:
            hits = (ours & theirs).total()
            precision += hits / ours.total()
            recall += hits / theirs.total()
            orders += 1
    if not precision:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def chrf_in_one_table(h: str, r: str, max_n: int, beta: float) -> float:
    h, r = "".join(h.split(" ")), "".join(r.split(" "))
    used = range(1, min(max_n, len(h), len(r)) + 1)  # the orders that both have
    shares = []
    for n in used:
        a, b = (
            Counter(map("".join, zip(*(x[i:] for i in range(n)), strict=False))) for x in (h, r)
        )
        same = sum(min(k, b[g]) for g, k in a.items())
        shares.append((same / a.total(), same / b.total()))
    if not shares or not shares[0][0]:
        return 0.0
    p, q = (sum(column) / len(shares) for column in zip(*shares, strict=True))
    return 100 / ((1 / p + beta**2 / q) / (1 + beta**2))


# ---------------------------------------------------------------- wrong answers


def variant(
    *, spaces=False, clip=True, empty=False, f_first=False, on_p=False, guard=True, scale=100,
    power=2,
):  # fmt: skip
    """The reference with one thing done otherwise."""

    def answer(h: str, r: str, max_n: int, beta: float) -> float:
        one, two = (x if spaces else x.replace(" ", "") for x in (h, r))
        table = []
        for n in range(1, max_n + 1):
            a, b = (Counter(x[i : i + n] for i in range(len(x) - n + 1)) for x in (one, two))
            hits = (a & b).total() if clip else sum(k for g, k in a.items() if g in b)
            if a and b:
                table.append((hits / a.total(), hits / b.total()))
            elif empty:
                table.append((0.0, 0.0))

        def f(p: float, q: float) -> float:
            if guard and not (p and q):
                return 0.0
            weight = beta**power * (q if on_p else p) + (p if on_p else q)
            return scale * (1 + beta**power) * p * q / weight

        if guard and not table:
            return 0.0
        if f_first:
            return sum(f(p, q) for p, q in table) / len(table)
        return f(sum(p for p, _ in table) / len(table), sum(q for _, q in table) / len(table))

    return answer


def own_orders(h: str, r: str, max_n: int, beta: float) -> float:
    """Precision over the hypothesis' orders, recall over the reference's."""
    one, two = h.replace(" ", ""), r.replace(" ", "")
    shares = []
    for text in (one, two):
        column = []
        for n in range(1, min(max_n, len(text)) + 1):
            a, b = (Counter(x[i : i + n] for i in range(len(x) - n + 1)) for x in (one, two))
            column.append((a & b).total() / (len(text) - n + 1))
        shares.append(sum(column) / max(len(column), 1))
    p, q = shares
    return 100 * (1 + beta**2) * p * q / (beta**2 * p + q) if p and q else 0.0


MUTANTS = (
    Mutant("beta_on_precision", variant(on_p=True)),
    Mutant("f_then_mean", variant(f_first=True)),
    Mutant("keeps_spaces", variant(spaces=True)),
    Mutant("no_clipping", variant(clip=False)),
    Mutant("empty_orders", variant(empty=True)),
    Mutant("zero_by_zero", variant(guard=False)),
    Mutant("share", variant(scale=1)),
    Mutant("own_orders", own_orders),
    Mutant("beta_not_squared", variant(power=1)),
    Mutant("small_letters", lambda h, r, n, beta: chrf_sentence(h.lower(), r.lower(), n, beta)),
    Mutant("beta_ignored", lambda h, r, max_n, beta: variant()(h, r, max_n, 1.0)),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """A letter too many, spaces, letters that repeat, texts shorter than max_n, nothing at all."""
    cases = [
        ("owl", "owls", 2, 2.0),
        ("a b", "ab", 2, 2.0),
        ("aaaa", "aab", 1, 2.0),
        ("the owl", "the owls sing", 6, 2.0),
        ("ab", "ab", 6, 2.0),
        ("owl", "owls", 6, 2.0),
        ("owls", "owl", 4, 1.0),
        ("abc", "xyz", 3, 1.0),
        ("", "owl", 2, 2.0),
        ("", "", 2, 2.0),
        (" ", "a", 1, 1.0),
        ("a", "a", 1, 1.0),
        ("An Owl", "an owl", 2, 2.0),
    ]
    for n, beta in ((3, 1.0), (4, 3.0), (6, 2.0)):
        lengths = torch.randint(6, 14, (2,), generator=generator).tolist()
        texts = [
            "".join("abc d"[k] for k in torch.randint(5, (size,), generator=generator).tolist())
            for size in lengths
        ]
        cases.append(("a" + texts[0], "ab" + texts[1] + "c", n, beta))
    return [
        Probe(
            {"h": h, "r": r, "max_n": n, "beta": beta},
            f"h = {h!r}; r = {r!r}; max_n = {n}; beta = {beta:g}",
        )
        for h, r, n, beta in cases
    ]


TASK = FunctionTask(spec=chrf_sentence_spec, probes=probes, steps=(is_number,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "9.3",
        "chrf_sentence",
        kind="I",
        difficulty=3,
        importance=3,
        minutes=20,
        points=4,
        task=TASK,
        reference=chrf_sentence,
        words=words_beside(__file__),
        alternatives=(chrf_in_one_table,),
    ),
)
