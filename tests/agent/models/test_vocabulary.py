import pytest

from edgeprof_agent.models.presets import SHAPES
from edgeprof_agent.models.vocabulary import make_vocabulary
from tests.agent.models.conftest import WriteModel, loaded

TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "  two spaces,\ttabs\nand\r\nlines\n\n",
    "Größe, naïve, Ελληνικά, русский, 中文, 日本語, हिन्दी, العربية",
    "emoji 👩‍👩‍👧‍👦 🚀 and \u0000 a zero byte, \u200b a space of no width",
    "x = {'key': [1, 2.5e-3]}  # code",
    "",
)


@pytest.mark.parametrize("size", sorted({shape.vocabulary_size for shape in SHAPES}))
def test_a_vocabulary_has_its_size_and_no_token_twice(size: int) -> None:
    vocabulary = make_vocabulary(size)
    assert len(vocabulary.tokens) == len(vocabulary.token_types) == size
    assert len(set(vocabulary.tokens)) == size


def test_every_merge_joins_two_tokens_to_a_third() -> None:
    vocabulary = make_vocabulary(49152)
    tokens = set(vocabulary.tokens)
    pairs = [merge.split(" ") for merge in vocabulary.merges]
    assert all({left, right, left + right} <= tokens for left, right in pairs)


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_survives_tokens(write: WriteModel, text: str) -> None:
    with loaded(write("synth:tiny@q4_0")) as model:
        tokens = model.tokenize(text.encode(), add_bos=False)
        assert model.detokenize(tokens) == text.encode()


def test_pieces_of_words_are_tokens(write: WriteModel) -> None:
    with loaded(write("synth:tiny@q4_0")) as model:
        assert model.n_vocab() == 2048
        text = b" the cat and the dog"
        assert len(model.tokenize(text, add_bos=False)) < len(text) * 2 // 3
