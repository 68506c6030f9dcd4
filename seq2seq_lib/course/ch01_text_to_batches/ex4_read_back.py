"""Exercise 1.4: ids of pieces, as a model writes them, become text again."""

import torch

from seq2seq_lib.course.ch01_text_to_batches.steps import is_text
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID

PIECES = [*SPECIAL_TOKENS, "_", "sixt", "een", "six", "y", "n", "i", "e", "t"]


def read_back_spec(ids: list[int], pieces: list[str]) -> str:
    text = ""
    for i in ids:
        if i == EOS_ID:
            break
        if i == PAD_ID or i == BOS_ID:
            continue
        for letter in pieces[i]:
            text += " " if letter == "_" else letter
    while text.endswith(" "):
        text = text[:-1]
    return text


def read_back(ids: list[int], pieces: list[str]) -> str:
    kept = []
    for i in ids:
        if i == EOS_ID:
            break
        if i not in (PAD_ID, BOS_ID):
            kept.append(pieces[i])
    return "".join(kept).replace("_", " ").rstrip()


def read_back_by_slices(ids: list[int], pieces: list[str]) -> str:
    end = ids.index(EOS_ID) if EOS_ID in ids else len(ids)
    text = "".join(pieces[i] for i in ids[:end] if i >= UNK_ID)
    return " ".join(text.split("_")).rstrip()


# ---------------------------------------------------------------- wrong answers


def before_end(ids: list[int]) -> list[int]:
    return ids[: ids.index(EOS_ID)] if EOS_ID in ids else ids


def joined(ids: list[int], pieces: list[str], between: str = "") -> str:
    return between.join(pieces[i] for i in ids)


def spelt(text: str) -> str:
    return text.replace("_", " ").rstrip()


def keeping(*specials: int):
    """Like the reference, but these ids are written out, too."""

    def read(ids: list[int], pieces: list[str]) -> str:
        kept = ids if EOS_ID in specials else before_end(ids)
        return spelt(joined([i for i in kept if i >= UNK_ID or i in specials], pieces))

    return read


def end_printed(ids: list[int], pieces: list[str]) -> str:
    rest = before_end(ids)
    return spelt(joined([i for i in [*rest, *ids[len(rest) :][:1]] if i >= EOS_ID], pieces))


def runs_on(ids: list[int], pieces: list[str]) -> str:
    return spelt(joined([i for i in ids if i >= UNK_ID], pieces))


def stops_at_pad(ids: list[int], pieces: list[str]) -> str:
    rest = before_end(ids)
    rest = rest[: rest.index(PAD_ID)] if PAD_ID in rest else rest
    return spelt(joined([i for i in rest if i >= UNK_ID], pieces))


def stops_at_pad_alone(ids: list[int], pieces: list[str]) -> str:
    """EOS is silent, too."""
    rest = ids[: ids.index(PAD_ID)] if PAD_ID in ids else ids
    return runs_on(rest, pieces)


def without_unknown(ids: list[int], pieces: list[str]) -> str:
    return read_back([i for i in ids if i != UNK_ID], pieces)


def clean(ids: list[int]) -> list[int]:
    return [i for i in before_end(ids) if i >= UNK_ID]


MUTANTS = (
    Mutant("end_printed", end_printed),
    Mutant("runs_on", runs_on),
    Mutant("runs_on", keeping(EOS_ID)),
    Mutant("pad_printed", keeping(PAD_ID)),
    Mutant("start_printed", keeping(BOS_ID)),
    Mutant("all_printed", lambda ids, pieces: spelt(joined(ids, pieces))),
    Mutant("stops_at_pad", stops_at_pad),
    Mutant("stops_at_pad", stops_at_pad_alone),
    Mutant("unknown_lost", without_unknown),
    Mutant("pieces_apart", lambda ids, pieces: joined(clean(ids), pieces, " ").replace("_", "")),
    Mutant("pieces_apart", lambda ids, pieces: spelt(joined(clean(ids), pieces, " "))),
    Mutant("words_joined", lambda ids, pieces: joined(clean(ids), pieces).replace("_", "")),
    Mutant("marks_left", lambda ids, pieces: joined(clean(ids), pieces)),
    Mutant("space_left", lambda ids, pieces: joined(clean(ids), pieces).replace("_", " ")),
    Mutant("spaces_joined", lambda ids, pieces: " ".join(read_back(ids, pieces).split())),
    Mutant("not_a_text", lambda ids, pieces: [pieces[i] for i in clean(ids)]),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Rows as they come: with pads on either side, cut before the end, with unknown letters."""
    drawn = torch.randint(UNK_ID, len(PIECES), (8,), generator=generator).tolist()
    rows = (
        [1, 5, 6, 4, 7, 4, 2, 0, 0],  # sixteen six
        [0, 0, 5, 8, 4, 2],  # padded on the left
        [9, 10, 9, 11, 12, 3, 4, 2, 7, 7],  # rubbish behind the end
        [7, 4, 5, 8],  # cut: there is no end
        [2, 0],
        [7],
        [7, 4, 4, 5, 8, 4, 2],  # two spaces in a row
        [1, 7, *drawn, 4, 2, 0],  # it begins with a letter, so strip is as good as rstrip
        [],
    )
    return [Probe({"ids": list(row), "pieces": list(PIECES)}, f"ids = {list(row)}") for row in rows]


TASK = FunctionTask(spec=read_back_spec, probes=probes, steps=(is_text,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "1.4",
        "read_back",
        kind="F",
        difficulty=2,
        importance=3,
        minutes=8,
        points=2,
        task=TASK,
        reference=read_back,
        words=words_beside(__file__),
        alternatives=(read_back_by_slices,),
    ),
)
