"""7.6: the one assertion that a thrown-away result does not survive."""

from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside


def test_rows(reorder: Callable) -> None:
    state = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    rows = torch.tensor([2, 0, 0])
    kept = state.clone()
    moved = reorder(state, rows)
    for i, row in enumerate(rows.tolist()):
        assert torch.equal(moved[i], kept[row])


def test_rows_by_loop(reorder: Callable) -> None:
    state, rows = torch.arange(12.0).view(4, 3), [3, 1, 1]
    assert reorder(state, torch.tensor(rows)).tolist() == [state[row].tolist() for row in rows]


# ---------------------------------------------------------------- right versions


def by_index_select(state: Tensor, rows: Tensor) -> Tensor:
    return state.index_select(0, rows)


def by_index(state: Tensor, rows: Tensor) -> Tensor:
    return state[rows]


def by_gather(state: Tensor, rows: Tensor) -> Tensor:
    return state.gather(0, rows[:, None].expand(-1, state.size(1)))


# ---------------------------------------------------------------- wrong versions


def not_moved(state: Tensor, rows: Tensor) -> Tensor:
    """As many rows as are wanted, where they stood; a copy. Beyond the last they begin again."""
    return state[torch.arange(len(rows)) % len(state)]


def thrown_away(state: Tensor, rows: Tensor) -> Tensor:
    state.index_select(0, rows)
    return not_moved(state, rows)


def inverse(state: Tensor, rows: Tensor) -> Tensor:
    """Row i goes to place rows[i], where place i should get row rows[i]."""
    moved = not_moved(state, rows)
    moved[rows.clamp(max=len(rows) - 1)] = not_moved(state, rows)
    return moved


def in_order(state: Tensor, rows: Tensor) -> Tensor:
    return state[rows.sort().values]


def no_copies(state: Tensor, rows: Tensor) -> Tensor:
    """Each row is used once: one that is asked for again gives way to a free one, or the next."""
    free = [row for row in range(len(state)) if row not in rows.tolist()]
    seen: list[int] = []
    for row in rows.tolist():
        if row in seen:
            row = free.pop(0) if free else (row + 1) % len(state)
        seen.append(row)
    return state[seen]


def first_column(state: Tensor, rows: Tensor) -> Tensor:
    moved = not_moved(state, rows)
    moved[:, 0] = state[rows, 0]
    return moved


def averaged(state: Tensor, rows: Tensor) -> Tensor:
    return state[rows].mean(0, keepdim=True).expand(len(rows), -1)


SUSPECTS = {
    "thrown_away": thrown_away,
    "inverse": inverse,
    "in_order": in_order,
    "no_copies": no_copies,
    "first_column": first_column,
    "averaged": averaged,
}
EXERCISES = (
    detective(
        "7.6",
        test_rows,
        DetectiveTask(
            (by_index_select, by_index, by_gather),
            SUSPECTS,
            patient="thrown_away",
            tiers=((1, 1), (5, 1), (len(SUSPECTS), 1)),
            called=("reordering", "reorderings"),
        ),
        difficulty=2,
        importance=4,
        minutes=18,
        words=words_beside(__file__),
        alternatives=(test_rows_by_loop,),
    ),
)
