"""What a model can be refused by before anything of it is hashed, fetched or written."""

from dataclasses import dataclass

from edgeprof.run import ModelFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutline:
    """A model as far as it is known at once. Of a file that is still to be fetched, that is no more than its size.

    ``has_vocabulary``: texts can be read and written with it, as far as is known.
    """

    name: str
    format: str
    file_bytes: int
    kv_elements_per_token: int | None = None
    vocabulary_size: int | None = None
    embedding_length: int | None = None
    synthetic: bool = False
    has_vocabulary: bool = True


def outline_of(model: ModelFacts) -> ModelOutline:
    """The outline of a model whose header has been read, or that is planned."""
    return ModelOutline(
        name=model.name,
        format=model.format,
        file_bytes=model.file_bytes,
        kv_elements_per_token=model.kv_elements_per_token,
        vocabulary_size=model.vocabulary_size,
        embedding_length=model.embedding_length,
        synthetic=model.synthetic,
    )
