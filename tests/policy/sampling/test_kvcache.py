import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlsf_lightning.policy.sampling.kvcache as kvcache
from rlsf_lightning.policy.sampling.kvcache import GrowingCache, GrowingLayer


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_layer_holds_what_plain_concatenation_and_indexing_hold(data):
    """Random appends, expansions and drops, against tensors that are concatenated and indexed."""
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31)))
    rows = data.draw(st.integers(1, 4))
    layer, keys, values = GrowingLayer(), torch.zeros(rows, 2, 0, 3), torch.zeros(rows, 2, 0, 5)
    for _ in range(data.draw(st.integers(1, 6))):
        columns = data.draw(st.sampled_from([1, 2, kvcache.SPARE_COLUMNS]))
        new_keys = torch.randn(rows, 2, columns, 3, generator=generator)
        new_values = torch.randn(rows, 2, columns, 5, generator=generator)
        keys, values = torch.cat([keys, new_keys], 2), torch.cat([values, new_values], 2)
        seen = layer.update(new_keys, new_values)
        assert torch.equal(seen[0], keys) and torch.equal(seen[1], values)
        if data.draw(st.booleans()):
            row = torch.tensor(data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=6)))
            layer.expand(row)
            keys, values, rows = keys[row], values[row], len(row)
        if rows > 2 and data.draw(st.booleans()):
            layer.compact(torch.tensor([0]), torch.tensor([rows - 1]), rows - 1)
            order = [rows - 1, *range(1, rows - 1)]
            keys, values, rows = keys[order], values[order], rows - 1
        assert layer.get_seq_length() == keys.shape[2]
        assert torch.equal(layer.keys, keys) and torch.equal(layer.values, values)


def test_a_step_writes_in_place_until_the_spare_columns_are_used_up():
    layer = GrowingLayer()
    layer.update(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2))
    place = layer.keys.data_ptr()
    for _ in range(kvcache.SPARE_COLUMNS):
        layer.update(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2))
        assert layer.keys.data_ptr() == place
    layer.update(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2))
    assert layer.keys.data_ptr() != place
    assert layer.get_seq_length() == kvcache.SPARE_COLUMNS + 2


def test_cache_expands_and_compacts_every_layer_in_use():
    cache = GrowingCache()
    for index in (0, 2):  # layer 1 shares another layer's keys
        cache.update(torch.full((2, 1, 1, 1), float(index)), torch.ones(2, 1, 1, 1), index)
    cache.expand(torch.tensor([0, 0, 1]))
    assert [layer.keys.shape[0] for layer in cache.layers if layer.is_initialized] == [3, 3]
    cache.compact(torch.tensor([0]), torch.tensor([2]), 2)
    assert [layer.keys.flatten().tolist() for layer in cache.layers if layer.is_initialized] == [[0.0] * 2, [2.0] * 2]
