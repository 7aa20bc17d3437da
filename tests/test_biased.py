"""Attention under a bias: the compiled loops and torch agree, in values and in gradients."""

import gc
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.models import biased
from nco.models.layers import NEVER


@pytest.fixture(autouse=True)
def threads():
    """Two threads, whatever the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def found(monkeypatch, light, projected, heads, bias, scale):
    """What `attend` gives, and the gradients of a fixed combination of that."""
    monkeypatch.setattr(biased, "LIGHT", light)
    given = [x.detach().clone().requires_grad_() for x in (projected, bias)]
    out = scale.new_zeros(())
    for layer in biased.biases(given[1], bias.shape[1] // heads):
        out = out + (layer.layer + 1) * biased.attend(given[0], heads, layer, scale)
    weight = torch.linspace(-1, 1, out.numel()).view_as(out)
    return (out.detach(), *torch.autograd.grad((out * weight).sum(), given))


@settings(deadline=None, max_examples=30)
@given(
    count=st.integers(1, 3),
    views=st.integers(1, 3),
    layers=st.integers(1, 2),
    nodes=st.integers(1, 40),
    heads=st.integers(1, 3),
    width=st.sampled_from([1, 4, 16, 20]),
    seed=st.integers(0, 99),
)
def test_compiled_loops_are_torch(count, views, layers, nodes, heads, width, seed):
    """Whatever the sizes, with a bias that views share and a scale for each of them."""
    dice = torch.Generator().manual_seed(seed)
    projected = torch.randn(count * views, nodes, 3 * heads * width, generator=dice)
    bias = 3 * torch.randn(count, layers * heads, nodes, nodes, generator=dice)
    scale = torch.rand(count * views, generator=dice)
    with pytest.MonkeyPatch.context() as patch:
        ours = found(patch, 0, projected, heads, bias, scale)
        torchs = found(patch, 10**9, projected, heads, bias, scale)
    for mine, other in zip(ours, torchs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


def test_closed_nodes_get_no_weight(monkeypatch):
    """What a closed node holds changes nothing, and it gets no gradient."""
    dice = torch.Generator().manual_seed(1)
    projected = torch.randn(2, 20, 48, generator=dice)
    bias = torch.randn(2, 1, 20, 20, generator=dice)
    bias[..., 15:] = NEVER
    scale = torch.ones(2)
    ours = found(monkeypatch, 0, projected, 1, bias, scale)
    other = projected.clone()
    other[:, 15:, 16:] += 5.0
    changed = found(monkeypatch, 0, other, 1, bias, scale)
    torch.testing.assert_close(ours[0], changed[0])
    assert ours[1][:, 15:, 16:].abs().max() < 1e-12
    assert ours[2][..., 15:].abs().max() < 1e-12


@pytest.mark.parametrize("light", [0, 10**9])
def test_gradients_can_be_asked_for_again(monkeypatch, light):
    """A second pass through the same graph gives the same."""
    monkeypatch.setattr(biased, "LIGHT", light)
    dice = torch.Generator().manual_seed(4)
    bias = torch.randn(2, 4, 9, 9, generator=dice, requires_grad=True)
    node = torch.randn(2, 9, 48, generator=dice)
    one = torch.ones(())
    each = biased.biases(2 * bias, 2)
    out = sum(biased.attend(node, 2, layer, one).square().sum() for layer in each)
    (first,) = torch.autograd.grad(out, bias, retain_graph=True)
    (again,) = torch.autograd.grad(out, bias)
    assert first.abs().max() > 0
    torch.testing.assert_close(first, again)


def test_nothing_is_kept_once_it_is_out_of_use(monkeypatch):
    """Biases of all layers are large: they must not wait for the garbage collector."""
    monkeypatch.setattr(biased, "LIGHT", 0)
    bias = torch.zeros(1, 2, 9, 9, requires_grad=True)
    node = torch.ones(1, 9, 24)
    each = biased.biases(2 * bias, 2)
    kept = weakref.ref(each[0].shared)
    gc.disable()
    try:
        out = sum(biased.attend(node, 1, layer, torch.ones(())).sum() for layer in each)
        out.backward()
        del each, out
        assert kept() is None
    finally:
        gc.enable()
    assert bias.grad is not None
