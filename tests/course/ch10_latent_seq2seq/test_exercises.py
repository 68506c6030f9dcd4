"""What belongs to this chapter's exercises alone; test_every_exercise.py asks the rest."""

import torch

from seq2seq_lib.course import find
from seq2seq_lib.course.judging import engine
from seq2seq_lib.course.judging.probes import fresh_generator


def test_probes_hold_rows_of_one_cell_and_full_rows():
    for seed in range(3):
        for probe in find("10.1").task.probes(fresh_generator(seed)):
            lengths, width = probe.args["lengths"], probe.args["values"].size(1)
            assert lengths.min() == 1 and lengths.max() == width


def test_zeros_at_the_pads_are_not_taken_for_granted():
    def trusts_the_pads(values, lengths):
        return values.sum(dim=1) / lengths

    _, finding = engine.judge(find("10.1"), trusts_the_pads)
    assert finding.state == "wrong"
    zeroed = torch.tensor([[4.0, 2.0, 0.0]])
    assert trusts_the_pads(zeroed, torch.tensor([2])).item() == 3.0  # right where pads are zero
