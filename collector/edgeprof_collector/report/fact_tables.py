"""Everything that is known of device, model and engine, as tables of name and value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgeprof.device import DeviceFacts
from edgeprof_collector.analysis.quantity import bytes_text, count_text, text_of
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.report.facts import clean


@dataclass(frozen=True, slots=True)
class FactTable:
    """A titled list of names and values."""

    title: str
    rows: tuple[tuple[str, str], ...]


def fact_tables(verdict: Verdict) -> tuple[FactTable, ...]:
    """Device, model, engine, and the options in force of each variant."""
    return (
        _table("Device", _device_rows(verdict)),
        _table("Model", _model_rows(verdict)),
        _table("Engine", _engine_rows(verdict)),
        *(
            _table(f"Options in force: {variant.name}", sorted(variant.options.items()))
            for variant in verdict.variants
            if variant.options
        ),
    )


def _device_rows(verdict: Verdict) -> list[tuple[str, str | None]]:
    device = verdict.device
    cache = device.last_level_cache_bytes
    rows: list[tuple[str, str | None]] = [
        ("Host name", device.hostname),
        ("Board", device.board),
        ("SoC", device.soc),
        ("CPU", device.cpu_model),
        ("Architecture", device.architecture),
        ("Cores", _cores(device)),
        ("Last-level cache", None if cache is None else bytes_text(cache)),
        ("Memory", ", ".join([*_bytes(device.memory_total_bytes), *_memory_kind(device)])),
    ]
    for gpu in device.accelerators:
        memory = "" if gpu.memory_total_bytes is None else f", {bytes_text(gpu.memory_total_bytes)}"
        driver = "" if gpu.driver_version is None else f", driver {gpu.driver_version}"
        unified = ", unified memory" if gpu.unified_memory else ""
        rows.append((gpu.name, f"{gpu.product}{memory}{unified}{driver}"))
    return [
        *rows,
        ("Operating system", device.os),
        ("Kernel", device.kernel),
        ("Firmware", device.firmware),
        ("Power mode", device.power_mode),
        ("Power limits", _limits(device.power_limits_watts, "W")),
        ("Clock limits", _limits(device.clock_limits_hertz, "hertz")),
        ("Governor", device.governor),
        ("Power source", device.power_source),
        ("Agent", device.agent_version),
        ("Imported from", device.imported_from),
        ("Labels", ", ".join(f"{name}={value}" for name, value in sorted(device.labels.items()))),
    ]


def _cores(device: DeviceFacts) -> str:
    return f"{device.physical_cores or '?'} physical, {device.logical_cores} logical" if device.logical_cores else ""


def _bytes(count: int) -> list[str]:
    """A size; nothing where it is not told, which imported results do not."""
    return [bytes_text(count)] if count else []


def _count(count: int) -> str:
    """A number; empty where it is not told."""
    return f"{count:,}" if count else ""


def _memory_kind(device: DeviceFacts) -> list[str]:
    """Type, speed and width of the host's memory, as far as they are known."""
    speed, bits = device.memory_transfers_per_second, device.memory_bus_bits
    parts = (device.memory_type, speed and f"{speed / 1e6:.0f} MT/s", bits and f"{bits} bits wide")
    return [part for part in parts if part]


def _limits(limits: Mapping[str, float], unit: str) -> str:
    return ", ".join(f"{name} {text_of(value, unit)}" for name, value in sorted(limits.items()))


def _model_rows(verdict: Verdict) -> list[tuple[str, str | None]]:
    model = verdict.model
    types = sorted(model.tensor_bytes_by_type.items(), key=lambda each: -each[1])
    return [
        ("Name", model.name),
        ("Weights", "random: synthetic" if model.synthetic else None),
        ("File", f"{model.format}, {bytes_text(model.file_bytes)}"),
        ("Architecture", model.architecture),
        ("Quantisation", model.quantisation),
        ("Tensors by type", ", ".join(f"{name} {bytes_text(size)}" for name, size in types)),
        ("Parameters", count_text(model.parameter_count)),
        ("Experts", f"{model.expert_used_count} of {model.expert_count} used" if model.expert_count else None),
        ("Layers", _count(model.layer_count)),
        ("Embedding length", _count(model.embedding_length)),
        ("Vocabulary", _count(model.vocabulary_size)),
        ("Context length", _count(model.context_length)),
        ("Weights read per token", "".join(_bytes(model.weight_bytes_read_per_token))),
        ("KV elements per token", _count(model.kv_elements_per_token)),
        ("SHA-256", model.sha256),
    ]


def _engine_rows(verdict: Verdict) -> list[tuple[str, str | None]]:
    engine = verdict.engine
    rows: list[tuple[str, str | None]] = [("Engine", f"{engine.name} {engine.version}")]
    if engine.variant_versions:
        named = zip(verdict.variants, engine.variant_versions, strict=False)
        rows = [(f"Engine: {variant.name}", f"{engine.name} {version}") for variant, version in named]
    return [*rows, ("Python", engine.python_version), ("Build", engine.build)]


def _table(title: str, rows: Iterable[tuple[str, str | None]] | Sequence[tuple[str, str]]) -> FactTable:
    """Rows that have a value, safe to show."""
    return FactTable(clean(title), tuple((clean(name), clean(value)) for name, value in rows if value))
