"""Figures of chapter 5 show the numbers that they were given."""

import pytest
import torch
import torch.nn.functional as F

from seq2seq_lib.course.ch05_nll_vs_cross_entropy import figures, given


def nothing_is_cut(figure):
    figure.draw_without_rendering()
    for ax in figure.axes:
        for text in (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts):
            if text.get_text():
                box = text.get_window_extent()
                assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1, text
                assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1, text


def test_losses_and_pushes_are_those_of_torch():
    z = given.row()
    figure = figures.loss_as_one_logit_grows(z, 3, 0.9048)
    left, right = figure.axes
    moved = z.clone()
    moved[3] = -8.0
    moved.requires_grad_()
    pipelines = (
        F.cross_entropy(moved, torch.tensor(3)),
        F.cross_entropy(moved.softmax(-1), torch.tensor(3)),
        F.nll_loss(moved.softmax(-1), torch.tensor(3)),
    )
    for number, loss in enumerate(pipelines):
        (slope,) = torch.autograd.grad(loss, moved, retain_graph=True)
        assert left.lines[number].get_ydata()[0] == pytest.approx(loss.item(), abs=1e-5)
        assert right.lines[number].get_ydata()[0] == pytest.approx(-slope[3].item(), abs=1e-5)
    assert left.lines[-1].get_ydata()[0] == 0.9048, "the floor"
    assert left.get_ylabel() == "loss (nats)"
    nothing_is_cut(figure)


def test_training_begins_before_the_first_epoch():
    figure = figures.training({"a": [2.6, 1.0, 0.5], "b": [2.6, 2.0, 1.9]}, {"log V": 2.64})
    (ax,) = figure.axes
    assert list(ax.lines[0].get_xdata()) == [0, 1, 2]
    assert [text.get_text() for text in ax.texts] == ["log V 2.64"]
    nothing_is_cut(figure)


def test_bars_are_the_shares_and_the_target_alone_is_plain():
    shares = {"one": [0.2, 0.3, 0.5], "two": [0.1, 0.3, 0.6]}
    figure = figures.shares_by_temperature("abc", shares, 1)
    for ax, row in zip(figure.axes, shares.values(), strict=True):
        assert [bar.get_height() for bar in ax.patches] == row
        assert [bool(bar.get_hatch()) for bar in ax.patches] == [True, False, True]
    nothing_is_cut(figure)


def test_sums_stand_at_the_end_of_rows_and_columns():
    table = torch.tensor([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    figure = figures.softmax_over_axes({"rows": table})
    bold = [t.get_text() for t in figure.axes[0].texts if t.get_weight() == "bold"]
    assert bold == ["1.00", "1.00", "1.00", "1.75", "1.25"]
    nothing_is_cut(figure)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: figures.loss_as_one_logit_grows(torch.tensor([1.0, NAN]), 0, 0.9), "finite"),
        (lambda: figures.loss_as_one_logit_grows(torch.tensor([1.0, INF]), 0, 0.9), "finite"),
        (lambda: figures.loss_as_one_logit_grows(given.row(), 5, 0.9), "0 .. 4, but it is 5"),
        (lambda: figures.loss_as_one_logit_grows(given.row(), -1, 0.9), "0 .. 4, but it is -1"),
        (lambda: figures.training({}, {}), "one or more"),
        (lambda: figures.training({"a": [1.0], "b": []}, {}), "equally long"),
        (lambda: figures.shares_by_temperature("ab", {}, 0), "must hold a row"),
        (lambda: figures.shares_by_temperature("ab", {"x": [0.5, 0.5]}, 2), "0 .. 1"),
        (lambda: figures.shares_by_temperature("ab", {"x": [1.0]}, 0), "2 finite numbers"),
        (lambda: figures.shares_by_temperature("ab", {"x": [1.0, NAN]}, 0), "2 finite numbers"),
        (lambda: figures.softmax_over_axes({}), "no table"),
        (lambda: figures.softmax_over_axes({"x": torch.zeros(0, 5)}), "not empty"),
        (lambda: figures.softmax_over_axes({"x": torch.zeros(5)}), "must be"),
        (lambda: figures.softmax_over_axes({"x": torch.tensor([[NAN]])}), "finite"),
    ],
)
def test_bad_input_is_refused_with_what_came_and_what_is_wanted(draw, says):
    with pytest.raises(ValueError, match=says):
        draw()


def test_a_loss_that_is_no_number_leaves_a_gap():
    (ax,) = figures.training({"a": [2.6, NAN, INF, 1.0]}, {"log V": 2.64}).axes
    assert [y == y for y in ax.lines[0].get_ydata()] == [True, False, True, True]
    ax.figure.draw_without_rendering()
