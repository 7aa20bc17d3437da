"""Norms and feed-forward networks: the compiled loops and torch agree, gradients included."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.models import biased, rms
from nco.models.layers import Block


@pytest.fixture(autouse=True)
def threads():
    """Two threads, whatever the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def changed(light, call, tensors):
    """What a function gives, and the gradients of a fixed combination of that."""
    given = [x.detach().clone().requires_grad_() for x in tensors]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rms, "LIGHT", light)
        patch.setattr(biased, "LIGHT", light)
        out = call(*given)
        weight = torch.linspace(-1, 1, out.numel()).view_as(out)
        return (out.detach(), *torch.autograd.grad((out * weight).sum(), given))


def agree(call, tensors):
    """Asserts that compiled loops and torch find the same."""
    ours, torchs = changed(0, call, tensors), changed(10**9, call, tensors)
    for mine, other in zip(ours, torchs, strict=True):
        # What nearly cancels out is as exact as the largest of its kind.
        exact = 5e-5 * max(1.0, float(other.abs().max()))
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=exact)


@settings(deadline=None, max_examples=30)
@given(
    instances=st.integers(1, 3),
    nodes=st.integers(1, 90),
    width=st.sampled_from([1, 4, 20, 128]),
    size=st.sampled_from([0.01, 1.0, 100.0]),
    seed=st.integers(0, 99),
)
def test_norms_are_those_of_torch(instances, nodes, width, size, seed):
    """Whatever the sizes, with a sum beside the norm."""
    dice = torch.Generator().manual_seed(seed)
    node = size * (torch.randn(instances, nodes, width, generator=dice) + 0.1)

    def call(node):
        direction, beside = rms.normalised(node)
        return direction.square() * direction.mean() + 2 * beside

    agree(call, [node])


def test_norms_without_anything_beside():
    """Nodes that are only normalised have the gradient of the norm alone."""
    dice = torch.Generator().manual_seed(2)
    agree(lambda node: rms.normalised(node)[0], [torch.randn(2, 70, 8, generator=dice)])


@settings(deadline=None, max_examples=20)
@given(
    nodes=st.integers(1, 60),
    width=st.sampled_from([1, 8]),
    hidden=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_feed_forward_networks_are_those_of_torch(nodes, width, hidden, seed):
    """Values and all six gradients, whatever the sizes."""
    dice = torch.Generator().manual_seed(seed)
    shapes = (2, nodes, width), (2, nodes, width), (hidden, width), (hidden,), (width, hidden)
    tensors = [torch.randn(shape, generator=dice) for shape in (*shapes, (width,))]

    def call(beside, node, up, up_bias, down, down_bias):
        return rms.feed_forward(beside, node, (up, up_bias), (down, down_bias))

    agree(call, tensors)


def test_a_block_is_what_its_formula_says():
    """Compiled or not, without a bias: pre-normalised attention, then a feed-forward network."""
    torch.manual_seed(3)
    block, node = Block(16, 2, 24), torch.randn(3, 20, 16)
    for norm in (block.attention_norm, block.forward_norm):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
    agree(lambda node: block(node, None, torch.ones(())), [node])
    q, k, v = block.project(block.attention_norm(node)).view(3, 20, 3, 2, 8).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    middle = node + block.combine(mixed)
    expected = middle + block.down(block.up(block.forward_norm(middle)).relu())
    torch.testing.assert_close(block(node, None, torch.ones(())), expected)


@pytest.mark.parametrize("light", [0, 10**9])
def test_gradients_can_be_asked_for_again(monkeypatch, light):
    """A second pass through the same graph gives the same: nothing kept is written to."""
    monkeypatch.setattr(rms, "LIGHT", light)
    torch.manual_seed(4)
    block, node = Block(8, 1, 12), torch.randn(2, 9, 8, requires_grad=True)
    out = block(node, None, torch.ones(())).square().sum()
    (first,) = torch.autograd.grad(out, node, retain_graph=True)
    (again,) = torch.autograd.grad(out, node)
    assert first.abs().max() > 0
    torch.testing.assert_close(first, again)
