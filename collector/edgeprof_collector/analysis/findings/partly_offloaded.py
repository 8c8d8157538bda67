"""A model of which a part, or all, stayed on the CPU of a device that has a GPU."""

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.options import options_in_force
from edgeprof_collector.analysis.quantity import bytes_text
from edgeprof_collector.analysis.verdict import Finding, Severity

_LAYERS_OPTION = "gpu_layers"


def partly_offloaded(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant with fewer layers on a GPU than the model has: a warning for a part of them, a note for none.

    All are as many as the model has and one more, its output.
    """
    found = [_judge(evidence, variant) for variant in range(len(evidence.record.started.plan.variants))]
    return tuple(finding for finding in found if finding)


def _judge(evidence: Evidence, variant: int) -> Finding | None:
    started = evidence.record.started
    layers = options_in_force(evidence.record, variant).get(_LAYERS_OPTION, "")
    all_layers = started.model.layer_count + 1
    gpus = started.device.accelerators
    if not gpus or not layers.isdecimal() or int(layers) >= all_layers:
        return None
    memory = ", ".join(
        f"{gpu.name} ({gpu.product}) has {bytes_text(gpu.memory_total_bytes)} of memory"
        if gpu.memory_total_bytes
        else f"{gpu.name} is {gpu.product}"
        for gpu in gpus
    )
    none = int(layers) == 0
    return Finding(
        name=FindingName.PARTLY_OFFLOADED,
        severity=Severity.NOTE if none else Severity.WARNING,
        title=f"{started.plan.variants[variant].name}: the model ran on the CPU" + ("" if none else " in part"),
        evidence=(
            f"{layers} of its {all_layers} layers (the output is one) were on a GPU; {memory}, the model file has "
            f"{bytes_text(started.model.file_bytes)}"
        ),
        advice=(
            f"install a build of the engine with GPU support, and leave {_LAYERS_OPTION} to it"
            if none
            else f"each token waits for the slower part: raise {_LAYERS_OPTION}, or take a model or context that fits"
        ),
    )
