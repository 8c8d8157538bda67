"""What tells two sides apart: what makes them hard to compare, and what may be the cause of a change."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from edgeprof.device import DeviceFacts
from edgeprof.errors import EdgeprofError
from edgeprof_collector.analysis.comparison.result import Difference
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.quantity import bytes_text

Fact = Callable[[RunData], str]


def device_class(device: DeviceFacts) -> str:
    """What devices share that should perform alike: the board or processor, the memory's size, the accelerators."""
    product = device.board or device.soc or device.cpu_model or device.architecture
    parts = [product, device.cpu_model or "", f"{device.logical_cores} cores", bytes_text(device.memory_total_bytes)]
    parts += [each.product for each in device.accelerators]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def model_identity(run: RunData) -> str:
    """A model's name, quantisation and contents."""
    model = run.verdict.model
    return f"{model.name} {model.quantisation} {model.sha256[:12]}".strip()


def plan_identity(run: RunData) -> str:
    """What a plan makes of the engine's time: how often it is repeated is not part of it."""
    return f"{run.verdict.plan_name}: " + ", ".join(step.name for step in run.steps)


_ACROSS: tuple[tuple[str, Fact], ...] = (
    ("device", lambda run: run.verdict.device.device_id),
    ("model", model_identity),
    ("plan", plan_identity),
)
_CAUSES: tuple[tuple[str, Fact], ...] = (
    ("engine", lambda run: run.verdict.engine.name),
    ("engine version", lambda run: run.verdict.engine.version),
    ("engine build", lambda run: run.verdict.engine.build),
    ("processes", lambda run: "new ones for each repetition" if run.fresh_processes else "the same in all repetitions"),
    ("python", lambda run: run.verdict.engine.python_version),
    ("agent", lambda run: run.verdict.device.agent_version),
    ("kernel", lambda run: run.verdict.device.kernel),
    ("firmware", lambda run: run.verdict.device.firmware or ""),
    ("power mode", lambda run: run.verdict.device.power_mode or ""),
    ("governor", lambda run: run.verdict.device.governor or ""),
    ("power source", lambda run: run.verdict.device.power_source or ""),
    ("driver", lambda run: ", ".join(each.driver_version or "" for each in run.verdict.device.accelerators)),
)


def differences(base: Sequence[RunData], candidate: Sequence[RunData]) -> tuple[Difference, ...]:
    """Every fact that is not the same on both sides, those that make a comparison doubtful first.

    A step may have the same name in two plans and other numbers: then the plans differ as well.
    """
    found = []
    for across, facts in ((True, _ACROSS), (False, _CAUSES)):
        for name, fact in facts:
            ours, theirs = _told(base, fact), _told(candidate, fact)
            if ours != theirs or (across and " / " in ours):
                found.append(Difference(name=name, base=ours, candidate=theirs, across=across))
    if not any(each.name == "plan" for each in found) and len({run.steps for run in chain(base, candidate)}) > 1:
        found.append(Difference(name="plan", base="its steps", candidate="steps with other numbers", across=True))
    return (*found, *_option_differences(base, candidate))


def refuse_across(found: Sequence[Difference]) -> None:
    """Refuse sides that differ in device, model or plan.

    Raises:
        EdgeprofError: they do.
    """
    across = [each for each in found if each.across]
    if not across:
        return
    texts = [f"{each.name} ({each.base} and {each.candidate})" for each in across]
    raise EdgeprofError(f"the runs differ in {'; '.join(texts)}: compare like with like, or say --across")


def _option_differences(base: Sequence[RunData], candidate: Sequence[RunData]) -> list[Difference]:
    """Engine options in force, where each side has one variant."""
    sides = [
        [variant.options for run in side for variant in run.verdict.variants if variant.name in run.variants]
        for side in (base, candidate)
    ]
    if any(len(run.variants) > 1 for run in chain(base, candidate)):
        return []
    names = sorted({name for side in sides for options in side for name in options})
    found = []
    for name in names:
        ours, theirs = (_joined(options.get(name, "") for options in side) for side in sides)
        if ours != theirs:
            found.append(Difference(name=f"option {name}", base=ours, candidate=theirs))
    return found


def _told(side: Sequence[RunData], fact: Fact) -> str:
    return _joined(fact(run) for run in side)


def _joined(values: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(values))
