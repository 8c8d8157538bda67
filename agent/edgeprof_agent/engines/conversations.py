"""What a server is sent: a conversation that grows, of token ids where the server takes them, else of words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Callable, Mapping

from .answer import Answer
from .token_ids import token_id

# Common words that most vocabularies hold whole.
_TEXT = """
time people year way day man thing woman life child world school state family student group country
problem hand part place case week company system program question work government number night point home
water room mother area money story fact month lot right study book eye job word business issue side kind
head house service friend father power hour game line end member law car city community name president
team minute idea kid body back parent
"""
_WORDS = tuple(_TEXT.split())
_LOWEST_ID = 100  # below lie special tokens and single bytes
_FEWEST_IDS = 1000
_CALIBRATION_WORDS = 64
_ROUNDS = 4

CountTokens = Callable[[str], int]


class Seeds:
    """The seeds of a run's texts: one for the context up to its depth, and fresh ones for what must not be cached.

    ``given`` is how many fresh ones an engine that outlives the run may have met before.
    """

    def __init__(self, seed: int, given: int = 0) -> None:
        self.of_depth = seed
        self._given = given

    def fresh(self) -> int:
        """A seed that no request had before, so that its tokens cannot be in the engine's cache."""
        self._given += 1
        return self.of_depth + (self._given << 32)


class Prompt(ABC):
    """What a server is to go on with."""

    @abstractmethod
    def fields(self) -> Mapping[str, object]:
        """The fields of a request that hold it."""


class TextPrompt(Prompt):
    """A given text; where chats are asked for, a user's only message."""

    def __init__(self, text: str, *, chat: bool) -> None:
        self._text = text
        self._chat = chat

    def fields(self) -> Mapping[str, object]:
        """The text, or the message."""
        if self._chat:
            return {"messages": [{"role": "user", "content": self._text}]}
        return {"prompt": self._text}


class Conversation(Prompt):
    """A prompt that grows: by what a user says, and by the server's own answers."""

    def __init__(self) -> None:
        self.tokens = 0
        """Tokens of the whole conversation as far as they can be known before the server tells."""

    @abstractmethod
    def extend(self, count: int, seed: int) -> None:
        """Say ``count`` more tokens; which ones, the seed and the position decide."""

    @abstractmethod
    def add_answer(self, answer: Answer) -> None:
        """Take the server's answer into the conversation."""


class TokenConversation(Conversation):
    """Token ids, for servers that take them: exactly as many tokens as are asked for."""

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self._ids: list[int] = []
        self._lowest_id = _LOWEST_ID if vocabulary_size >= _FEWEST_IDS else 0
        self._range = vocabulary_size - self._lowest_id

    def extend(self, count: int, seed: int) -> None:
        """Append the ids that `token_ids` has for these positions."""
        start = len(self._ids)
        self._ids += [self._lowest_id + token_id(seed, start + place, self._range) for place in range(count)]
        self.tokens = len(self._ids)

    def add_answer(self, answer: Answer) -> None:
        """Append the answer's ids. Those that the server did not tell are missing."""
        self._ids += answer.token_ids
        self.tokens = len(self._ids)

    def fields(self) -> Mapping[str, object]:
        """The prompt, as ids."""
        return {"prompt": self._ids}


class TextConversation(Conversation):
    """Words, as many as ``writer`` finds to be the tokens asked for."""

    def __init__(self, writer: TextWriter, *, chat: bool) -> None:
        super().__init__()
        self._writer = writer
        self._chat = chat
        self._messages: list[dict[str, str]] = []

    def extend(self, count: int, seed: int) -> None:
        """Say more words, in the message that the user has begun if the server has not answered it."""
        text = self._writer.write(count, seed)
        if self._messages and self._messages[-1]["role"] == "user":
            self._messages[-1]["content"] += text
        else:
            self._messages.append({"role": "user", "content": text})
        self.tokens += count

    def add_answer(self, answer: Answer) -> None:
        """Take the answer's text in."""
        self._messages.append({"role": "assistant", "content": answer.text})
        self.tokens += answer.total_tokens

    def fields(self) -> Mapping[str, object]:
        """The messages of a chat, or their texts one after the other."""
        if self._chat:
            return {"messages": self._messages}
        return {"prompt": "".join(message["content"] for message in self._messages)}


class TextWriter:
    """Writes texts of a given number of tokens, with a server that can count them.

    What a server counts for an empty text, such as a token that begins every text or a chat's template, is not part
    of the texts. Where counting is ``cheap``, every text is counted; else two are, and the others follow from these.
    """

    def __init__(self, count_tokens: CountTokens, *, cheap: bool) -> None:
        self._count_tokens = count_tokens
        self._rounds = _ROUNDS if cheap else 0
        text = _words(_CALIBRATION_WORDS, 0)
        short, long = count_tokens(text), count_tokens(text * 2)
        self._tokens_per_word = max(long - short, 1) / _CALIBRATION_WORDS
        self._around_tokens = max(round(2 * short - long), 0)

    def write(self, count: int, seed: int) -> str:
        """Return a text of about ``count`` tokens: as near as whole words come to it in a few tries."""
        number = max(round(count / self._tokens_per_word), 1)
        best, best_miss = _words(number, seed), count + 1
        for _ in range(self._rounds):
            text = _words(number, seed)
            miss = self._count_tokens(text) - self._around_tokens - count
            if abs(miss) < abs(best_miss):
                best, best_miss = text, miss
            step = round(miss / self._tokens_per_word)
            if step == 0 or number - step < 1:
                break
            number -= step
        return best


def _words(number: int, seed: int) -> str:
    return "".join(" " + _WORDS[token_id(seed, place, len(_WORDS))] for place in range(number))
