"""The options of ExLlamaV2 that a plan may set. The defaults are ExLlamaV2's."""

from __future__ import annotations

from .options import Option

KV_BITS = ("none", "8", "6", "4")


def declared_options() -> tuple[Option, ...]:
    """Every option. They can be told without the library."""
    return (
        Option("prefill_step", "integer", "2048", "tokens of a prompt that are processed at once", minimum=1),
        Option("kv_bits", "choice", "none", "bits of a cached element; none: a float", choices=KV_BITS),
        Option("flash_attention", "choice", "auto", "auto: where the package flash-attn is", choices=("auto", "off")),
    )
