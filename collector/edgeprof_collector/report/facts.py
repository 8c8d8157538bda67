"""Device, model and engine in a line each. Everything here was written by a device, so control characters go."""

from edgeprof.device import DeviceFacts
from edgeprof.run import EngineFacts, ModelFacts
from edgeprof_collector.analysis.quantity import bytes_text, count_text


def clean(text: str) -> str:
    """The text without what could steer a terminal: every unprintable character is replaced by a question mark."""
    return "".join(character if character.isprintable() else "?" for character in text)


def device_line(device: DeviceFacts) -> str:
    """What the device is."""
    cores = device.physical_cores or device.logical_cores
    memory_bytes = device.memory_total_bytes
    parts = [
        device.board,
        device.cpu_model or device.soc or device.architecture,
        f"{cores} cores" if cores else None,
        f"{bytes_text(memory_bytes)} memory" if memory_bytes else None,
        *(accelerator.product for accelerator in device.accelerators),
        device.os,
    ]
    return clean(", ".join(part for part in parts if part))


def model_line(model: ModelFacts) -> str:
    """What the model is."""
    experts = f"{model.expert_used_count} of {model.expert_count} experts" if model.expert_count else ""
    parts = [
        model.architecture,
        f"{count_text(model.parameter_count)} parameters",
        experts,
        model.quantisation,
        bytes_text(model.file_bytes),
    ]
    return clean(", ".join(part for part in parts if part))


def engine_line(engine: EngineFacts) -> str:
    """What ran the model."""
    python = f"Python {engine.python_version}" if engine.python_version else ""
    versions = " and ".join(dict.fromkeys(engine.variant_versions)) or engine.version
    return clean(", ".join(part for part in (f"{engine.name} {versions}", python) if part))
