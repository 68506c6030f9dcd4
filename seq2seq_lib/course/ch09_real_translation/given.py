"""What the notebooks of chapter 9 are given: four words, two pairs, wrong ways to score."""

import copy
import math
from collections import Counter
from collections.abc import Callable, Sequence

from torch import Tensor

from seq2seq_lib.batching import collate
from seq2seq_lib.decoding import beam_search
from seq2seq_lib.metrics import bleu_from_scratch, corpus_bleu, count_ngrams
from seq2seq_lib.translate import Translator
from seq2seq_lib.vocab import EOS_ID

WORDS = {"snow": 5, "show": 3, "man": 4, "snowball": 2}  # how often each stands in the text
HYPOTHESES = ("the king sees the small cat near the the house", "a bee sings")
REFERENCES = ("the king sees the small red cat near the house", "the bee sings loudly")
RARITIES = [(0, 0, "never"), (1, 4, "1–4"), (5, 16, "5–16"), (17, 9999, "17+")]
LENGTHS = [(2, 4, "2–4"), (5, 6, "5–6"), (7, 8, "7–8"), (9, 12, "9–12")]
UNSEEN = (  # reference and hypothesis: what a count of words cannot see
    (
        "the guard will not open the gate after sunset",
        "the guard will now open the gate after sunset",
    ),
    (
        "the guard does not open the gate after sunset",
        "once it is dark , the watchman keeps the gate shut",
    ),
    (
        "the train to lyon leaves at 9 in the morning",
        "the train to lyon leaves at 6 in the morning",
    ),
    ("the hedgehogs sleep behind the castle", "the hedgehog sleeps behind the castle"),
    ("the hedgehogs sleep behind the castle", "the umbrella thinks behind the castle"),
)


def corpus(hypotheses: Sequence[str], references: Sequence[str], **options) -> float:
    """BLEU of lines whose words stand between spaces, without smoothing unless asked for."""
    options = {"smoothing": "none"} | options
    return bleu_from_scratch(
        [h.split() for h in hypotheses], [[r.split()] for r in references], **options
    ).score


def sentence_mean(hypotheses: Sequence[str], references: Sequence[str], **options) -> float:
    """The mean of the sentences' BLEU: what the chapter warns of."""
    pairs = zip(hypotheses, references, strict=True)
    return sum(corpus([h], [r], **options) for h, r in pairs) / len(hypotheses)


def wrong_bleus(hypotheses: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """The same lines, scored in eight wrong ways."""
    hyps, refs = [h.split() for h in hypotheses], [r.split() for r in references]
    right = bleu_from_scratch(hyps, [[r] for r in refs], smoothing="none")
    p = [precision / 100 for precision in right.precisions]
    c, r = right.hypothesis_length, right.reference_length
    mean = math.prod(p) ** 0.25
    known = [
        sum(count for h, ref in zip(hyps, refs, strict=True)
            for ngram, count in count_ngrams(h, n).items() if ngram in count_ngrams(ref, n))
        for n in range(1, 5)
    ]  # fmt: skip
    unclipped = [k / t for k, t in zip(known, right.totals, strict=True)]
    letters = [" ".join(x.replace(" ", "")) for x in hypotheses]
    wanted = [" ".join(x.replace(" ", "")) for x in references]
    return {
        "mean of the sentences' BLEU": sentence_mean(hypotheses, references),
        "no clipping": 100 * right.brevity_penalty * math.prod(unclipped) ** 0.25,
        "no brevity penalty": 100 * mean,
        "exp(1 - c/r) for the penalty": 100 * math.exp(1 - c / r) * mean,
        "hypothesis and reference exchanged": corpus(references, hypotheses),
        "arithmetic mean of the p_n": 100 * right.brevity_penalty * sum(p) / 4,
        "p_n to the power 1/2^n": 100
        * right.brevity_penalty
        * math.prod(x ** (0.5**n) for n, x in enumerate(p, start=1)),
        "letters for words": corpus(letters, wanted),
    }


def forced_outputs(
    translator: Translator, pairs: Sequence[tuple[str, str]], cut: Callable[[str], list[str]]
) -> list[str]:
    """What the translator says at each place when it reads the reference: a collage.

    Args:
        pairs: source and reference, as plain text.
        cut: a reference to target pieces.
    """
    ids = [
        (translator.src_vocab.encode(translator.tokenize(s)), translator.tgt_vocab.encode(cut(r)))
        for s, r in pairs
    ]
    batch = collate(ids)
    said = translator.model(batch).argmax(-1)  # [B, T]
    texts = []
    for row, length in zip(said.tolist(), batch.tgt_lengths.tolist(), strict=True):
        ids_said = row[: length - 1]
        if EOS_ID in ids_said:  # it says where it would have ended
            ids_said = ids_said[: ids_said.index(EOS_ID)]
        texts.append(translator.detokenize([translator.tgt_vocab.tokens[i] for i in ids_said]))
    return texts


def padded_length_search(
    translator: Translator, sources: Sequence[str]
) -> list[tuple[list, float]]:
    """The naive batch: every row says that it is as long as the padded tensor.

    All else is as in ``translator(sources)``, so what changes is the pads' doing.
    """
    batch = collate([(translator.src_vocab.encode(translator.tokenize(s)), []) for s in sources])
    whole: Tensor = batch.src_lengths.new_full((len(sources),), batch.src.size(1))
    careless = copy.deepcopy(translator.model)
    careless.encoder.reads_pads = True  # else it refuses them
    found = beam_search(
        careless, batch.src, whole, num_beams=5, length_penalty=1.0, max_new_tokens=80
    )
    return [(best.tokens, best.log_prob) for best, *_ in found]


def default_sentence_scores(hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    """Each sentence's BLEU as sacreBLEU gives it for a corpus of one: no effective order."""
    pairs = zip(hypotheses, references, strict=True)
    return [corpus_bleu([h], [r]).score for h, r in pairs]


def word_counts(sources: Sequence[Sequence[str]]) -> Counter:
    """How often each word stands in some sources."""
    return Counter(word for source in sources for word in source)


def exact_by_band(
    hypotheses: Sequence[str],
    references: Sequence[str],
    values: Sequence[int],
    bands: Sequence[tuple[int, int, str]],
    chosen: Sequence[int] | None = None,
) -> list[tuple[str, float, int]]:
    """Exact match of the sentences whose value lies in a band.

    Args:
        values: of each sentence.
        bands: smallest value, largest value, name.
        chosen: sentences to look at; None for all.

    Returns:
        name, share right, number of sentences, for each band.
    """
    found = []
    for low, high, name in bands:
        rows = [i for i in (chosen or range(len(values))) if low <= values[i] <= high]
        right = sum(hypotheses[i] == references[i] for i in rows)
        found.append((name, right / len(rows), len(rows)))
    return found


def words_off(hypothesis: str, reference: str) -> int | None:
    """At how many places two lines of as many words differ; None where one is longer."""
    ours, theirs = hypothesis.split(), reference.split()
    if len(ours) != len(theirs):
        return None
    return sum(a != b for a, b in zip(ours, theirs, strict=True))
