"""The likeliest next tokens after each token of a stretch of the context."""

from __future__ import annotations

from typing import Iterable

# Past six decimals of a logarithm lies the noise of 32-bit floats.
_DECIMALS = 6


class NextTokens:
    """Distributions over the next token, cut to their likeliest ones, in the order of the context."""

    def __init__(self, top_count: int) -> None:
        self.top_count = top_count
        self.token_ids: list[int] = []
        self.log_probabilities: list[float] = []

    def add(self, likeliest: Iterable[tuple[int, float]]) -> None:
        """Keep the likeliest tokens after one more token: ids with their log-probabilities, ``top_count`` at least.

        Of two that are equally likely the one with the lower id comes first, so that the same logits always give the
        same answer.
        """
        ranked = sorted(likeliest, key=lambda each: (-each[1], each[0]))[: self.top_count]
        for token_id, log_probability in ranked:
            self.token_ids.append(token_id)
            self.log_probabilities.append(min(round(log_probability, _DECIMALS), 0.0))
