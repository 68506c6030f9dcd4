"""Devices are found or refused by name, never swapped silently; one seed reaches everything."""

import random

import numpy
import pytest
import torch

from seq2seq_lib.runtime import get_device, seed_everything


def pretend_accelerator(monkeypatch, kind=None, count=0):
    """Let torch report so many accelerators of this kind, whatever the machine has."""
    found = torch.device(kind) if kind else None
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: found)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: count)


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("SEQ2SEQ_DEVICE", raising=False)


def test_without_accelerator_it_is_the_cpu(monkeypatch):
    pretend_accelerator(monkeypatch)
    assert get_device() == torch.device("cpu")


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu"])
def test_an_accelerator_of_any_kind_is_preferred(monkeypatch, kind):
    pretend_accelerator(monkeypatch, kind, 1)
    assert get_device() == torch.device(kind)
    assert get_device(kind) == torch.device(kind)
    assert get_device(f"{kind}:0") == torch.device(kind, 0)


def test_name_overrides_variable_overrides_accelerator(monkeypatch):
    pretend_accelerator(monkeypatch, "cuda", 3)
    monkeypatch.setenv("SEQ2SEQ_DEVICE", "cuda:1")
    assert get_device() == torch.device("cuda", 1)
    assert get_device("cuda:2") == torch.device("cuda", 2)
    assert get_device("") == torch.device("cuda", 1)
    monkeypatch.setenv("SEQ2SEQ_DEVICE", "cpu")
    assert get_device() == torch.device("cpu")
    monkeypatch.setenv("SEQ2SEQ_DEVICE", "")  # set but empty: as if unset
    assert get_device() == torch.device("cuda")


def test_a_build_for_gpus_on_a_machine_without_one_uses_the_cpu(monkeypatch):
    pretend_accelerator(monkeypatch, "cuda", 0)  # current_accelerator() names it all the same
    assert get_device() == torch.device("cpu")
    with pytest.raises(RuntimeError, match="sees 0 such devices"):
        get_device("cuda")


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    pretend_accelerator(monkeypatch)
    monkeypatch.setenv("SEQ2SEQ_DEVICE", "cuda")
    with pytest.raises(RuntimeError, match=r"^SEQ2SEQ_DEVICE='cuda', but .* sees 0 such devices"):
        get_device()
    pretend_accelerator(monkeypatch, "cuda", 2)
    with pytest.raises(RuntimeError, match=r"^name='mps', but .* sees 0 such devices"):
        get_device("mps")
    with pytest.raises(RuntimeError, match=r"^name='cuda:2', but .* sees 2 such devices"):
        get_device("cuda:2")


@pytest.mark.parametrize("name", ["banana", "cuda:x", "gpu"])
def test_a_word_that_is_no_device_is_refused_with_examples(monkeypatch, name):
    with pytest.raises(ValueError, match=f"^name='{name}' is not a device name. Try 'cpu', 'cuda'"):
        get_device(name)
    monkeypatch.setenv("SEQ2SEQ_DEVICE", name)
    with pytest.raises(ValueError, match="^name=False is not a device name"):
        get_device(False)  # said, and no reason to choose another
    with pytest.raises(ValueError, match=f"^SEQ2SEQ_DEVICE='{name}' is not a device name"):
        get_device()


def draw_from_everything(seed):
    generator = seed_everything(seed)
    return [
        random.random(),
        float(numpy.random.rand()),  # noqa: NPY002 (the global state is what is tested)
        float(torch.rand(())),
        float(torch.rand((), generator=generator)),
    ]


@pytest.fixture
def untouched_generators():
    python, torchs = random.getstate(), torch.get_rng_state()
    numpys = numpy.random.get_state()  # noqa: NPY002
    yield
    random.setstate(python)
    numpy.random.set_state(numpys)  # noqa: NPY002
    torch.set_rng_state(torchs)


@pytest.mark.usefixtures("untouched_generators")
def test_one_seed_reaches_python_numpy_torch_and_the_generator():
    first, again, other = (draw_from_everything(seed) for seed in (7, 7, 8))
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))


@pytest.mark.usefixtures("untouched_generators")
def test_the_generator_is_on_the_cpu_and_has_its_own_stream():
    generator = seed_everything(2**32 - 1)
    assert generator.device.type == "cpu"
    assert generator.initial_seed() == 2**32 - 1
    before = torch.get_rng_state()
    torch.rand(3, generator=generator)
    assert torch.equal(before, torch.get_rng_state())
    assert seed_everything(0).initial_seed() == 0


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None, True])
def test_a_seed_that_numpy_would_not_take_is_refused_before_anything_is_seeded(seed):
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match=r"seed must be an integer in 0 \.\. 2\*\*32 - 1"):
        seed_everything(seed)
    assert torch.equal(before, torch.get_rng_state())
