"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "row_means": """
import sys, warnings
def row_means(values, lengths):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    return torch.stack([row[:n].mean() for row, n in zip(values, lengths)])
""",
}
ANNA = (
    Wrong(
        "row_means",
        """
def row_means(values, lengths):
    return values.mean(dim=1)
""",
        {"10.1": "all_cells"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA},
    cheat={"row_means": TRICKS},
    deleted="check-10-1",
)
