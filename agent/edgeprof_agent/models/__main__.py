"""The short-lived process that writes synthetic models, fetches those of the Hub, and reads the facts of model files.

Its standard output is one JSON object a line: ``{"outline": {...}}`` before it hashes, fetches or writes anything, to
which it goes on when it has read a line from its standard input; ``{"progress": 0.42}`` as often as that changes by a
hundredth; and at the end ``{"facts": {...}}`` or ``{"error": "one line"}``.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts
from edgeprof_agent.models.hub_reference import is_hub_reference, parse_reference
from edgeprof_agent.models.model_format import ModelFormat
from edgeprof_agent.models.outline import ModelOutline, outline_of
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import is_synthetic, parse_spec


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare the model that the command line names; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m edgeprof_agent.models", description="Prepare a model.")
    parser.add_argument("name", help="a file or folder, hf:OWNER/REPOSITORY/FILE, or synth:SHAPE@QUANTISATION")
    parser.add_argument("--cache-folder", type=Path, required=True, help="where what it makes and fetches is kept")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # an unfinished file is then removed
    try:
        facts = _prepare(options.name, options.cache_folder, _progress_in_hundredths())
    except EdgeprofError as error:
        _say({"error": str(error)})
        return 1
    except OSError as error:
        where = error.filename or options.cache_folder
        _say({"error": f"{where}: {error.strerror}; let the user that edgeprof runs as read and write there"})
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    _say({"facts": facts})
    return 0


def _prepare(name: str, cache_folder: Path, on_progress: Callable[[float], None]) -> ModelFacts:
    """Make sure that the model is there, and describe it."""
    if is_hub_reference(name):
        return _prepare_from_hub(name, cache_folder, on_progress)
    spec = parse_spec(name) if is_synthetic(name) else None
    if spec is not None:
        _await_consent(outline_of(planned_facts(spec)))
    try:
        from edgeprof_agent.models import (  # noqa: PLC0415 - numpy may be missing
            gguf_facts,
            gguf_header,
            hf_facts,
            model_cache,
        )
    except ModuleNotFoundError as error:
        raise EdgeprofError(
            f"the Python package '{error.name}' is missing, which model files need: pip install 'edgeprof[models]'"
        ) from error
    if spec is None:
        path = Path(name).expanduser()
        read_facts = hf_facts.read_facts if path.is_dir() else gguf_facts.read_facts
        return read_facts(path, cache_folder, on_progress, _await_consent)
    path, found = model_cache.cached_model(spec, cache_folder, on_progress)
    if spec.quantisation.format is ModelFormat.SAFETENSORS:
        return hf_facts.facts_of(path, found)
    return gguf_facts.facts_of(path, gguf_header.read_header(path), found)


def _prepare_from_hub(name: str, cache_folder: Path, on_progress: Callable[[float], None]) -> ModelFacts:
    reference = parse_reference(name)
    try:
        from edgeprof_agent.models import gguf_facts, gguf_header, hub  # noqa: PLC0415 - huggingface_hub may be missing
    except ModuleNotFoundError as error:
        raise EdgeprofError(
            f"the Python package '{error.name}' is missing, which models of the Hub need: "
            "pip install 'edgeprof[models,hub]'"
        ) from error

    def await_consent(file_bytes: int) -> None:
        _await_consent(ModelOutline(name=name, format=ModelFormat.GGUF.value, file_bytes=file_bytes))

    path, found = hub.fetch(reference, cache_folder, on_progress, await_consent)
    return replace(gguf_facts.facts_of(path, gguf_header.read_header(path), found), name=name)


def _progress_in_hundredths() -> Callable[[float], None]:
    """A function that passes progress on when it has changed enough to be seen."""
    last = -1

    def report(ratio: float) -> None:
        nonlocal last
        hundredths = int(ratio * 100)
        if hundredths != last:
            last = hundredths
            _say({"progress": hundredths / 100})

    return report


def _await_consent(outline: ModelOutline) -> None:
    """Tell what the model is, and go on when whoever asked for it says so."""
    _say({"outline": outline})
    if not sys.stdin.readline():
        sys.exit("nobody wants it any more")


def _say(message: dict[str, object]) -> None:
    try:
        os.write(1, msgspec.json.encode(message) + b"\n")
    except BrokenPipeError:
        sys.exit("nobody is listening any more")  # an unfinished file is removed on the way out


if __name__ == "__main__":
    sys.exit(main())
