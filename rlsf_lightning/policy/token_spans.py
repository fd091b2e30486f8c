"""Character spans of the sampled tokens in the completion's text, derived from the ids and never by re-tokenisation.

Re-tokenising the text may give other tokens than the sampled ones, to which the rewards belong. So each id is turned into its
bytes, the bytes into text, and the spans (offset mapping) follow from the byte offsets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from transformers import PreTrainedTokenizerBase

from rlsf_lightning.records import Span

#: SentencePiece vocabularies write a space as this character, and a byte that no piece covers as <0xNN>.
SENTENCEPIECE_SPACE = "\u2581"
BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def decode_with_spans(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> tuple[str, list[Span]]:
    """The completion's text, and for each id the half-open range of the characters to which it contributes.

    The text equals ``tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)``; bytes that
    are no UTF-8 become U+FFFD as there. A token that holds only a part of a character spans the whole character, so
    neighbours may overlap. Special tokens (EOS, say), ids without text and leading spaces that decoding drops give an
    empty span at their position. Starts never decrease, nor do the ends of the spans that are not empty, and together the
    spans cover the text.

    Byte-level BPE and SentencePiece vocabularies are computed exactly, in one pass. For any other tokenizer the text of
    every prefix is decoded: quadratic in the number of ids, and a malformed character may be attributed to a neighbour.
    """
    ids = list(ids)
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert isinstance(text, str)
    tokens = _visible_tokens(tokenizer, ids)
    for candidate, ranges in (_byte_level(tokens), _sentencepiece(tokens)):
        dropped = len(candidate) - len(text)  # SentencePiece decoders drop the spaces that they start with
        if candidate == " " * dropped + text:
            return text, [Span(max(start - dropped, 0), max(end - dropped, 0)) for start, end in ranges]
    return text, _by_prefixes(tokenizer, ids, text)


def _visible_tokens(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> list[str]:
    """Each id as the vocabulary spells it; "" for special tokens and for ids that the vocabulary does not have."""
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    special.update(tokenizer.all_special_ids)
    spelled = tokenizer.convert_ids_to_tokens(ids)
    return ["" if i in special or token is None else token for i, token in zip(ids, spelled, strict=True)]


def _byte_of_character() -> dict[str, int]:
    """GPT-2's alphabet: printable bytes stand for themselves, the other 68 for the characters from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(b): b for b in printable} | {chr(0x100 + n): b for n, b in enumerate(others)}


BYTE_OF_CHARACTER = _byte_of_character()


def _byte_level(tokens: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """Text and ranges if every token is spelled in GPT-2's byte alphabet (a token that is not stands for itself)."""
    pieces = []
    for token in tokens:
        values = [BYTE_OF_CHARACTER.get(character) for character in token]
        pieces.append(token.encode() if None in values else bytes(v for v in values if v is not None))
    return _text_and_ranges(pieces)


def _text_and_ranges(pieces: list[bytes]) -> tuple[str, list[tuple[int, int]]]:
    """Decode the pieces' bytes as one UTF-8 string, and give the range of characters to which each piece contributes."""
    text, character_of_byte = _decode_utf8(b"".join(pieces))
    character_of_byte.append(len(text))
    ends = list(accumulate(map(len, pieces)))
    starts = [0, *ends][: len(ends)]
    return text, [
        (character_of_byte[start], character_of_byte[end - 1] + 1 if end > start else character_of_byte[start])
        for start, end in zip(starts, ends, strict=True)
    ]


def _decode_utf8(data: bytes) -> tuple[str, list[int]]:
    """UTF-8 with one U+FFFD per malformed sequence, and for every byte the index of the character that it went into."""
    if data.isascii():
        return data.decode("ascii"), list(range(len(data)))
    characters: list[str] = []
    character_of_byte: list[int] = []
    position = 0
    while position < len(data):
        try:
            valid, malformed = data[position:].decode(), 0
        except UnicodeDecodeError as error:
            valid, malformed = data[position : position + error.start].decode(), error.end - error.start
        for character in valid:
            character_of_byte += [len(characters)] * len(character.encode())
            characters.append(character)
        if malformed:
            character_of_byte += [len(characters)] * malformed
            characters.append("\ufffd")
        position = len(character_of_byte)
    return "".join(characters), character_of_byte


def _sentencepiece(tokens: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """Text and ranges if tokens are SentencePiece pieces. A run of byte pieces that as a whole is no UTF-8 gives one
    U+FFFD for each byte, which is how these decoders differ from byte-level ones."""
    text = ""
    ranges: list[tuple[int, int]] = []
    run: list[int] = []  # indices of the byte pieces read, and of the empty tokens among them

    def close_run() -> None:
        nonlocal text
        pieces = [bytes.fromhex(match[1]) if (match := BYTE_PIECE.fullmatch(tokens[i])) else b"" for i in run]
        try:
            b"".join(pieces).decode()
        except UnicodeDecodeError:
            pieces = ["\ufffd".encode() if piece else b"" for piece in pieces]
        added, inside = _text_and_ranges(pieces)
        ranges.extend((len(text) + start, len(text) + end) for start, end in inside)
        text += added
        run.clear()

    for index, token in enumerate(tokens):
        if not token or BYTE_PIECE.fullmatch(token):
            run.append(index)
            continue
        close_run()
        start = len(text)
        text += token.replace(SENTENCEPIECE_SPACE, " ")
        ranges.append((start, len(text)))
    close_run()
    return text, ranges


def _by_prefixes(tokenizer: PreTrainedTokenizerBase, ids: list[int], text: str) -> list[Span]:
    """Spans from what each further id adds to the decoded prefix, for tokenizers of no known family."""
    spans = []
    start = 0
    for count in range(1, len(ids) + 1):
        prefix = tokenizer.decode(ids[:count], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert isinstance(prefix, str)
        settled = len(text) if count == len(ids) else _common_length(prefix, text)
        end = max(settled, start)
        # A prefix that ends otherwise than the text does ends within a character that a later id completes.
        spans.append(Span(start, end if settled == len(prefix) else min(end + 1, len(text))))
        start = end
    return spans


def _common_length(left: str, right: str) -> int:
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))
