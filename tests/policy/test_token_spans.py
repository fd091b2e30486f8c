import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from rlsf_lightning.policy import token_spans
from rlsf_lightning.policy.token_spans import decode_with_spans
from rlsf_lightning.records import Span

PIECES = ["▁", "▁C", "CC", "=", "O", "(", ")", "▁▁", "é", "分子", "ab", "▁the"]


BYTES = [f"<0x{b:02X}>" for b in range(256)]


def sentencepiece_like(decoder, pieces: list[str]) -> PreTrainedTokenizerFast:
    """A vocabulary of pieces; ids 0 and 1 are <s> and </s>."""
    names = ["<s>", "</s>", "<unk>", *pieces]
    tokenizer = Tokenizer(models.BPE({n: i for i, n in enumerate(names)}, [], unk_token="<unk>"))
    tokenizer.decoder = decoder
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def llama_decoder():
    return decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )


def gemma_decoder():
    return decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])


def wordpiece() -> PreTrainedTokenizerFast:
    names = ["[UNK]", "[SEP]", "c", "##c", "o", "##o", "=", "carb", "##on", "é", "."]
    tokenizer = Tokenizer(models.WordPiece({n: i for i, n in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="[SEP]", unk_token="[UNK]")


@pytest.fixture(scope="module")
def tokenizers(byte_tokenizer) -> dict[str, PreTrainedTokenizerFast]:
    return {
        "byte": byte_tokenizer,
        "llama": sentencepiece_like(llama_decoder(), BYTES + PIECES),
        "gemma": sentencepiece_like(gemma_decoder(), BYTES + PIECES),
        "metaspace": sentencepiece_like(decoders.Metaspace(), PIECES),
        "wordpiece": wordpiece(),
    }


def ids_of(tokenizer, *names: str) -> list[int]:
    ids = tokenizer.convert_tokens_to_ids(list(names))
    assert None not in ids and tokenizer.convert_ids_to_tokens(ids) == list(names)
    return ids


def pairs(tokenizer, ids) -> tuple[str, list[tuple[int, int]]]:
    text, spans = decode_with_spans(tokenizer, ids)
    assert all(isinstance(span, Span) for span in spans)
    return text, [(span.start, span.end) for span in spans]


def alphabet_of_bytes() -> dict[int, str]:
    """Byte -> its character in GPT-2's alphabet, read off a pre-tokenizer for every byte that occurs in UTF-8."""
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    found: dict[int, str] = {}
    for code in [*range(0x800), *range(0x800, 0xD800, 64), *range(0xE000, 0x110000, 4096)]:
        (spelled, _), *_ = level.pre_tokenize_str(chr(code))
        found |= dict(zip(chr(code).encode(), spelled, strict=True))
    return found


ALPHABET = alphabet_of_bytes()


def byte_ids(tokenizer, data: bytes) -> list[int]:
    return ids_of(tokenizer, *(ALPHABET[b] for b in data))


def test_byte_level_literals(byte_tokenizer):
    ids = [*byte_ids(byte_tokenizer, "C é🧪".encode()), byte_tokenizer.eos_token_id]
    #                              C       ' '     é (2 bytes)     🧪 (4 bytes)   end
    assert pairs(byte_tokenizer, ids) == ("C é🧪", [(0, 1), (1, 2), (2, 3), (2, 3), *[(3, 4)] * 4, (4, 4)])
    merged = byte_tokenizer.encode("SMILES: CCO")
    text, spans = pairs(byte_tokenizer, merged)
    assert text == "SMILES: CCO" and len(merged) < len(text)
    assert [text[a:b] for a, b in spans] == [byte_tokenizer.decode([i]) for i in merged]


def test_malformed_bytes(byte_tokenizer):
    # E2 82 begins a character that never ends: one U+FFFD for both. 80 cannot begin one: one U+FFFD each.
    data = b"a\xe2\x82b\x80\x80"
    expected = ("a\ufffdb\ufffd\ufffd", [(0, 1), (1, 2), (1, 2), (2, 3), (3, 4), (4, 5)])
    assert pairs(byte_tokenizer, byte_ids(byte_tokenizer, data)) == expected


def test_a_special_token_in_the_middle_is_empty_there(byte_tokenizer):
    a, b = byte_ids(byte_tokenizer, b"ab")
    end = byte_tokenizer.eos_token_id
    assert pairs(byte_tokenizer, [end, a, end, b, end]) == ("ab", [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)])
    first, second = byte_ids(byte_tokenizer, "é".encode())
    assert pairs(byte_tokenizer, [first, end, second]) == ("é", [(0, 1), (0, 0), (0, 1)])


@pytest.mark.parametrize("name", ["byte", "llama", "gemma", "metaspace", "wordpiece"])
def test_nothing_and_only_the_end(tokenizers, name):
    tokenizer = tokenizers[name]
    assert pairs(tokenizer, []) == ("", [])
    assert pairs(tokenizer, [tokenizer.eos_token_id] * 2) == ("", [(0, 0), (0, 0)])


def test_ids_beyond_the_vocabulary_have_no_text(byte_tokenizer):
    (a,) = byte_ids(byte_tokenizer, b"a")
    assert pairs(byte_tokenizer, [5000, a, 5000]) == ("a", [(0, 0), (0, 1), (1, 1)])


def test_added_tokens_stand_for_themselves(byte_tokenizer):
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(byte_tokenizer.backend_tokenizer.to_str()), eos_token="<|end|>"
    )
    tokenizer.add_tokens([AddedToken("\nSMILES: π", normalized=False)])
    added = tokenizer.convert_tokens_to_ids("\nSMILES: π")
    a, b = byte_ids(tokenizer, b"ab")
    assert pairs(tokenizer, [a, added, b]) == ("a\nSMILES: πb", [(0, 1), (1, 11), (11, 12)])


def test_sentencepiece_literals(tokenizers):
    names = ["▁C", "<0xC3>", "<0xA9>", "▁the", "<0xFF>", "<0xC3>", "<0xA9>", "分子", "</s>"]
    # The run FF C3 A9 as a whole is malformed: each of its bytes becomes a U+FFFD.
    text = "Cé the\ufffd\ufffd\ufffd分子"
    spans = [(0, 1), (1, 2), (1, 2), (2, 6), (6, 7), (7, 8), (8, 9), (9, 11), (11, 11)]
    assert pairs(tokenizers["llama"], ids_of(tokenizers["llama"], *names)) == (text, spans)
    shifted = [(0, 2), *((a + 1, b + 1) for a, b in spans[1:])]
    assert pairs(tokenizers["gemma"], ids_of(tokenizers["gemma"], *names)) == (" " + text, shifted)


def test_a_dropped_leading_space_is_an_empty_span(tokenizers):
    ids = ids_of(tokenizers["llama"], "▁", "CC", "▁▁", "O")
    assert pairs(tokenizers["llama"], ids) == ("CC  O", [(0, 0), (0, 2), (2, 4), (4, 5)])
    ids = ids_of(tokenizers["metaspace"], "▁▁", "CC", "▁▁", "O")
    assert pairs(tokenizers["metaspace"], ids) == ("CC  O", [(0, 0), (0, 2), (2, 4), (4, 5)])


def test_other_tokenizers_by_prefixes(tokenizers):
    ids = ids_of(tokenizers["wordpiece"], "carb", "##on", "é", "[SEP]", "=", "##o")
    assert pairs(tokenizers["wordpiece"], ids) == ("carbon é =o", [(0, 4), (4, 6), (6, 8), (8, 8), (8, 10), (10, 11)])


def test_the_general_way_agrees_with_the_exact_one_on_wellformed_text(byte_tokenizer):
    ids = [*byte_ids(byte_tokenizer, "a é分🧪 b".encode()), byte_tokenizer.eos_token_id]
    text, spans = decode_with_spans(byte_tokenizer, ids)
    assert token_spans._by_prefixes(byte_tokenizer, ids, text) == spans


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(ALPHABET)), max_size=20).map(bytes), st.data())
def test_byte_level_spans_equal_a_slow_count(byte_tokenizer, data, more):
    """The character that byte b belongs to is the last one of the text of the bytes up to b."""
    ids = byte_ids(byte_tokenizer, data)
    at = more.draw(st.integers(0, len(ids)))
    text, spans = pairs(byte_tokenizer, [*ids[:at], byte_tokenizer.eos_token_id, *ids[at:]])
    assert text == data.decode("utf-8", "replace")
    del spans[at]
    last = [len(data[: b + 1].decode("utf-8", "replace")) - 1 for b in range(len(data))]
    assert spans == [(character, character + 1) for character in last]


@pytest.mark.parametrize("name", ["byte", "llama", "gemma", "metaspace", "wordpiece"])
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_text_is_decoded_and_spans_cover_it_in_order(tokenizers, name, data):
    tokenizer = tokenizers[name]
    ids = data.draw(st.lists(st.integers(0, len(tokenizer) + 2), max_size=24))
    text, spans = pairs(tokenizer, ids)
    assert text == tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert len(spans) == len(ids)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    filled = [(start, end) for start, end in spans if start < end]
    assert [end for _, end in filled] == sorted(end for _, end in filled)
    assert {c for start, end in filled for c in range(start, end)} == set(range(len(text)))


@pytest.mark.parametrize("name", ["byte", "llama", "gemma", "metaspace"])
def test_known_families_never_need_the_quadratic_way(tokenizers, name, monkeypatch):
    monkeypatch.setattr(token_spans, "_by_prefixes", None)
    tokenizer = tokenizers[name]
    rng = random.Random(0)
    for _ in range(200):
        decode_with_spans(tokenizer, [rng.randrange(len(tokenizer)) for _ in range(rng.randint(0, 24))])
