"""The synthetic vocabulary as the library ``tokenizers`` reads it: the same tokens and merges as in the GGUF file."""

from edgeprof_agent.models.vocabulary import Vocabulary

_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def tokenizer(vocabulary: Vocabulary) -> dict[str, object]:
    """Return what tokenizer.json holds: byte-level BPE that splits words as GPT-2 does."""
    end_of_text = vocabulary.end_of_text
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": end_of_text,
                "content": vocabulary.tokens[end_of_text],
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(vocabulary.tokens)},
            "merges": vocabulary.merges,
        },
    }


def tokenizer_configuration(vocabulary: Vocabulary, context_length: int) -> dict[str, object]:
    """Return what tokenizer_config.json holds. The chat template puts each role before its text, a message a line.

    No token ends a text. Random weights mean nothing by the one that they choose, and servers that cannot be told to
    ignore it, such as mlx_lm.server, would end an answer anywhere.
    """
    end_of_text = vocabulary.tokens[vocabulary.end_of_text]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context_length,
        "bos_token": end_of_text,
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        "chat_template": _CHAT_TEMPLATE,
    }
