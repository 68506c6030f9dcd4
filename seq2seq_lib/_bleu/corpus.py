"""What a corpus of hypotheses and references must look like."""

from collections.abc import Iterable, Sequence

from seq2seq_lib._arguments import kind_of


def checked_corpus(hypotheses: Sequence, references: Sequence, *, tokens: bool) -> list[list]:
    """One list of references per hypothesis, or the error that says what is wrong.

    A sentence is a list of tokens with ``tokens=True``, otherwise a string.
    """
    for name, items in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(items, str):
            raise TypeError(f"{name} must be a list, but it is the string {items!r}")
    if len(hypotheses) != len(references):
        raise ValueError(
            f"hypotheses and references must be equally many, but they are {len(hypotheses)} and "
            f"{len(references)}: references[i] lists the references of hypotheses[i] "
            "(sacreBLEU's own layout is the transpose of this)"
        )
    if len(hypotheses) == 0:
        raise ValueError("hypotheses are empty: the score of no sentences is undefined")
    nested = [_list_of(refs, i) for i, refs in enumerate(references)]
    for i, (hypothesis, refs) in enumerate(zip(hypotheses, nested, strict=True)):
        if len(refs) == 0:
            raise ValueError(f"hypothesis {i} has no reference: give it at least one")
        for name, sentence in [("hypothesis", hypothesis)] + [("reference", ref) for ref in refs]:
            if tokens and not isinstance(sentence, list | tuple):
                raise TypeError(
                    f"{name} {i} must be a list of tokens (and references[{i}] a list of such "
                    f"lists), but it is a {kind_of(sentence)}: use corpus_bleu for plain text"
                )
            if not tokens and not isinstance(sentence, str):
                raise TypeError(
                    f"{name} {i} must be a string, but it is a {kind_of(sentence)}: "
                    "join its tokens, or use bleu_from_scratch for tokens"
                )
    return nested


def _list_of(references: Sequence, i: int) -> list:
    if isinstance(references, str):
        return [references]
    if not isinstance(references, Iterable):  # None or NaN, of a table
        raise TypeError(
            f"references[{i}] must be a sentence or a list of them, but it is {references!r}: is "
            f"the reference of hypothesis {i} missing?"
        )
    return list(references)
