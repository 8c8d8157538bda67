import pytest

from edgeprof_agent.engines.answer import Answer, Usage
from edgeprof_agent.engines.conversations import TextConversation, TextWriter, TokenConversation


def answer(text: str, *ids: int) -> Answer:
    return Answer(text, ids, [1] * len(ids), len(ids), Usage(), 0)


def test_tokens_are_exact_and_depend_on_seed_and_position() -> None:
    one, other = TokenConversation(32_000), TokenConversation(32_000)
    one.extend(10, 1)
    one.extend(5, 2)
    one.add_answer(answer("", 7, 8))
    other.extend(15, 1)
    ids, others = one.fields()["prompt"], other.fields()["prompt"]
    assert isinstance(ids, list)
    assert isinstance(others, list)
    assert one.tokens == len(ids) == 17
    assert ids[:10] == others[:10]
    assert ids[10:15] != others[10:15]
    assert ids[15:] == [7, 8]
    assert all(100 <= token < 32_000 for token in others)


def test_a_tiny_vocabulary_is_used_whole() -> None:
    conversation = TokenConversation(257)
    conversation.extend(500, 3)
    ids = conversation.fields()["prompt"]
    assert isinstance(ids, list)
    assert min(ids) < 100


def letters(text: str) -> int:
    """A tokeniser with a token for every three letters, and two that begin each text."""
    return 2 + -(-len(text) // 3)


@pytest.mark.parametrize("count", [1, 10, 333, 5000])
@pytest.mark.parametrize("seed", [1, 2, 1 << 40])
def test_texts_come_near_to_the_tokens_that_are_asked_for(count: int, seed: int) -> None:
    text = TextWriter(letters, cheap=True).write(count, seed)
    assert abs(letters(text) - 2 - count) <= 3
    assert len(text.split()) >= 1


def test_where_counting_is_dear_two_texts_are_counted() -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return letters(text)

    writer = TextWriter(count, cheap=False)
    text = writer.write(1000, 1)
    assert len(counted) == 2
    assert abs(letters(text) - 1002) < 50


def test_a_chat_is_a_list_of_messages_and_a_text_is_not() -> None:
    for chat in (True, False):
        conversation = TextConversation(TextWriter(lambda text: len(text.split()), cheap=True), chat=chat)
        conversation.extend(2, 1)
        conversation.extend(1, 2)
        conversation.add_answer(answer(" four five", 4, 5))
        conversation.extend(1, 3)
        assert conversation.tokens == 6
        fields = conversation.fields()
        if chat:
            messages = fields["messages"]
            assert isinstance(messages, list)
            assert [message["role"] for message in messages] == ["user", "assistant", "user"]
            assert [len(message["content"].split()) for message in messages] == [3, 2, 1]
        else:
            assert len(str(fields["prompt"]).split()) == 6
