"""Ways to rank finished outputs with a length penalty, right and wrong: suspects of the clinic."""

from collections.abc import Callable, Sequence

Output = tuple[tuple[int, ...], float]  # generated tokens with EOS, and their log-probability
Ranked = list[Output]  # the same tokens, and a score
Rank = Callable[[Sequence[Output], int, float], Ranked]


def by_score(score: Callable[[tuple[int, ...], float, int, float], float]) -> Rank:
    """A rule for one output, ``score(tokens, log_prob, prompt_length, alpha)``, as a ranking."""

    def rank(outputs: Sequence[Output], prompt_length: int, alpha: float) -> Ranked:
        scored = [(tokens, score(tokens, lp, prompt_length, alpha)) for tokens, lp in outputs]
        return sorted(scored, key=lambda one: -one[1])

    return rank


def fixed_rank(outputs: list, prompt_length: int, alpha: float) -> list:
    scored = [(tokens, log_prob / len(tokens) ** alpha) for tokens, log_prob in outputs]
    return sorted(scored, key=lambda one: one[1], reverse=True)


def by_insertion(outputs: Sequence[Output], prompt_length: int, alpha: float) -> Ranked:
    ranked: Ranked = []
    for tokens, log_prob in outputs:
        score = log_prob * len(tokens) ** -alpha
        place = sum(other >= score for _, other in ranked)
        ranked.insert(place, (tokens, score))
    return ranked


in_lists = by_score(lambda tokens, lp, prompt, alpha: lp / float(len(tokens)) ** alpha)


def as_lists(outputs: Sequence[Output], prompt_length: int, alpha: float) -> list:
    return [list(one) for one in fixed_rank(outputs, prompt_length, alpha)]


end_not_counted = by_score(lambda tokens, lp, prompt, alpha: lp / max(1, len(tokens) - 1) ** alpha)
start_counted = by_score(lambda tokens, lp, prompt, alpha: lp / (len(tokens) + 1) ** alpha)
multiplied = by_score(lambda tokens, lp, prompt, alpha: lp * len(tokens) ** alpha)
no_penalty = by_score(lambda tokens, lp, prompt, alpha: lp)
always_mean = by_score(lambda tokens, lp, prompt, alpha: lp / len(tokens))


def not_ranked_anew(outputs: Sequence[Output], prompt_length: int, alpha: float) -> Ranked:
    by_log_prob = sorted(outputs, key=lambda one: -one[1])
    return [(tokens, log_prob / len(tokens) ** alpha) for tokens, log_prob in by_log_prob]
