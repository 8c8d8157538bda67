"""How fast a model ran on this device the last time, kept to say beforehand how long the next run will take."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import linear_regression, median

import msgspec

from edgeprof.run import ModelFacts
from edgeprof_agent.models.speed import KV_ELEMENT_BYTES, Speed
from edgeprof_agent.workload.engine_messages import RequestTimes

_FILE_NAME = "speeds.json"
_MOST_KEPT = 200
# A shorter prompt is read as single tokens are, or waits for what a call costs by itself.
_LEAST_PROMPT_TOKENS = 16
# Nearer depths differ by less than repetitions do.
_TELLING_TOKENS = 256
_SECOND_NS = 1_000_000_000


class SpeedMeter:
    """Takes the speed of a model from the requests of one variant of a run."""

    def __init__(self, model: ModelFacts) -> None:
        self._model = model
        self._prefill_seconds: list[float] = []
        self._gap_seconds: dict[float, list[float]] = defaultdict(list)

    def note(self, requests: Sequence[RequestTimes]) -> None:
        """Take in the requests of a step; those that are under way together tell nothing of one alone."""
        if len({request.start_monotonic_ns for request in requests}) < len(requests):
            return
        for request in requests:
            self._note_prompt(request)
            gaps_ns = request.token_gaps_ns[1:]
            if gaps_ns and sum(gaps_ns) and not request.token_counts:
                depth = request.depth_tokens + request.prompt_tokens + len(gaps_ns) / 2
                self._gap_seconds[depth].append(sum(gaps_ns) / len(gaps_ns) / _SECOND_NS)

    @property
    def speed(self) -> Speed | None:
        """The median of all; ``None`` where the run had no prompt, or decoded nothing."""
        if not self._prefill_seconds or not self._gap_seconds:
            return None
        at_no_context, context = self._decode_seconds()
        return Speed(
            prefill_seconds_per_token=median(self._prefill_seconds),
            decode_seconds_per_token=at_no_context,
            context_seconds_per_token=context,
        )

    def _decode_seconds(self) -> tuple[float, float]:
        """Seconds of a token without context, and what each token of context adds.

        Depths that lie far apart tell both. Where there are none, weights and cache are taken to be read alike fast.
        """
        depths = sorted(self._gap_seconds)
        seconds = [median(self._gap_seconds[depth]) for depth in depths]
        if depths[-1] - depths[0] >= _TELLING_TOKENS:
            slope, intercept = linear_regression(depths, seconds)
            if slope >= 0 and intercept > 0:
                return intercept, slope
        weights = self._model.weight_bytes_read_per_token
        cache = self._model.kv_elements_per_token * KV_ELEMENT_BYTES
        per_byte = median(each / (weights + depth * cache) for depth, each in zip(depths, seconds, strict=True))
        return weights * per_byte, cache * per_byte

    def _note_prompt(self, request: RequestTimes) -> None:
        tokens = request.prompt_tokens - request.reused_tokens
        seconds = (request.prefill_end_monotonic_ns - request.start_monotonic_ns) / _SECOND_NS
        if tokens >= _LEAST_PROMPT_TOKENS and seconds > 0:
            self._prefill_seconds.append(seconds / tokens)


def kept_speed(cache_folder: Path, engine: str, model: ModelFacts, options: Mapping[str, str]) -> Speed | None:
    """Return how fast this engine ran this model the last time with these options, else with its defaults.

    ``None`` if it did neither yet.
    """
    kept = _read(cache_folder)
    return kept.get(_key(engine, model.name, options)) or kept.get(_key(engine, model.name, {}))


def keep_speed(cache_folder: Path, engine: str, model: ModelFacts, options: Mapping[str, str], speed: Speed) -> None:
    """Keep a speed in place of the one before it, and the latest of other engines, models and options beside it.

    Raises:
        OSError: the folder cannot be written to.
    """
    key = _key(engine, model.name, options)
    others = [(name, value) for name, value in _read(cache_folder).items() if name != key]
    cache_folder.mkdir(parents=True, exist_ok=True)
    unfinished = cache_folder / (_FILE_NAME + ".part")
    unfinished.write_bytes(msgspec.json.encode(dict([*others[-_MOST_KEPT + 1 :], (key, speed)])))
    unfinished.replace(cache_folder / _FILE_NAME)


def _read(cache_folder: Path) -> dict[str, Speed]:
    try:
        return msgspec.json.decode((cache_folder / _FILE_NAME).read_bytes(), type=dict[str, Speed])
    except (OSError, msgspec.DecodeError):
        return {}  # never written, or cut off by a loss of power


def _key(engine: str, model: str, options: Mapping[str, str]) -> str:
    return " ".join([engine, model, *(f"{name}={options[name]}" for name in sorted(options))])
