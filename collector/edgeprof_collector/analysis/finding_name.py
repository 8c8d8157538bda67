"""The names of all findings. Each has a page ``docs/findings/NAME.md``."""

from enum import Enum


class FindingName(str, Enum):
    """What is wrong, in a word that scripts may rely on."""

    IMPOSSIBLE_RATE = "impossible-rate"
    UNFINISHED_WORK = "unfinished-work"
    CONTEXT_DECAY = "context-decay"
    CHANGED_OUTPUT = "changed-output"
    PREFIX_REBUILT = "prefix-rebuilt"
    LOGITS_ALL = "logits-all"
    THREAD_COUNT = "thread-count"
    SLOWER_VARIANT = "slower-variant"
    THROTTLED = "throttled"
    POWER_MODE = "power-mode"
    BUSY_MACHINE = "busy-machine"
    PARTLY_OFFLOADED = "partly-offloaded"
    MEMORY_HEADROOM = "memory-headroom"
    QUANTISATION_OFF_LINE = "quantisation-off-line"
    WORSE_THAN_BASELINE = "worse-than-baseline"
    PAGING = "paging"
    FIRST_CALL = "first-call"
    DRIFT = "drift"

    @property
    def page(self) -> str:
        """Where the documentation explains it."""
        return f"docs/findings/{self.value}.md"
