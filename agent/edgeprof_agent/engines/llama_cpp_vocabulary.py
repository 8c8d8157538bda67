"""Texts to tokens and back, by the vocabulary of a loaded model."""

from __future__ import annotations

import ctypes
from typing import Any

from .engine import EngineError
from .llama_cpp_binding import llama_cpp

# Around a text, a vocabulary may want tokens of its own.
_TOKENS_AROUND = 8
_PIECE_BYTES = 128


class Vocabulary:
    """What llama.cpp knows of a model's tokens. It lives as long as the model."""

    def __init__(self, model: Any) -> None:
        self._vocabulary = llama_cpp.llama_model_get_vocab(model)
        self.size = int(llama_cpp.llama_vocab_n_tokens(self._vocabulary))

    @property
    def first_of_a_text(self) -> int | None:
        """The token that the model wants before every text; ``None`` if it wants none."""
        if not llama_cpp.llama_vocab_get_add_bos(self._vocabulary):
            return None
        return int(llama_cpp.llama_vocab_bos(self._vocabulary))

    def tokens_of(self, text: str) -> list[int]:
        """The text in tokens, with what the model wants at its ends; names of special tokens are read as text.

        Raises:
            EngineError: the model has no vocabulary.
        """
        if llama_cpp.llama_vocab_type(self._vocabulary) == llama_cpp.LLAMA_VOCAB_TYPE_NONE:
            raise EngineError("the model has no vocabulary to read a text with: take one that has")
        content = text.encode("utf-8")
        most = len(content) + _TOKENS_AROUND
        tokens = (llama_cpp.llama_token * most)()
        count = llama_cpp.llama_tokenize(self._vocabulary, content, len(content), tokens, most, True, False)
        if count < 0:
            tokens = (llama_cpp.llama_token * -count)()
            count = llama_cpp.llama_tokenize(self._vocabulary, content, len(content), tokens, -count, True, False)
        return list(tokens[:count])

    def tokens_to_go_on_from(self, text: str) -> list[int]:
        """As `tokens_of`, but without a token that ends the text: the model is to go on with it."""
        tokens = self.tokens_of(text)
        if llama_cpp.llama_vocab_get_add_eos(self._vocabulary) and tokens and self.ends_text(tokens[-1]):
            tokens.pop()
        return tokens

    def ends_text(self, token: int) -> bool:
        """Whether nothing is to come after this token."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary, token))

    def bytes_of(self, token: int) -> bytes:
        """What a token stands for in a text: nothing, of a special one. It may be part of a character."""
        size = _PIECE_BYTES
        while True:
            piece = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._vocabulary, token, piece, size, 0, False)
            if length >= 0:
                return piece.raw[:length]
            size = -length
