"""What a collector may ask of this device."""

from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand
from edgeprof.plan import Plan
from edgeprof.plan_rules import complete
from edgeprof_agent.config import AllowedConfig
from edgeprof_agent.models.hub_reference import is_hub_reference
from edgeprof_agent.models.presets import is_synthetic


def refuse_unless_allowed(command: JobCommand, allowed: AllowedConfig) -> None:
    """Check a job against the device's own configuration.

    Raises:
        EdgeprofError: the job names what is not allowed, or its plan cannot be run as it is.
    """
    for python in (command.python, *(variant.python for variant in command.plan.variants)):
        if python and python not in allowed.pythons:
            raise EdgeprofError(f"this device does not allow the interpreter '{python}': list it in allowed.pythons")
    if "/" in command.engine:
        if command.engine not in allowed.programs:
            raise EdgeprofError(f"this device does not run the program '{command.engine}': list it in allowed.programs")
    elif command.engine and allowed.engines is not None and command.engine not in allowed.engines:
        raise EdgeprofError(f"this device does not allow the engine '{command.engine}': list it in allowed.engines")
    _refuse_other_files(command, allowed.model_folders)
    if allowed.plans is not None:
        _refuse_other_plans(command.plan, allowed.plans)
    if command.plan.repetitions < 1:
        raise EdgeprofError(f"plan {command.plan.name}: 'repetitions' must be 1 or more")
    complete(command.plan)


def _refuse_other_files(command: JobCommand, folders: tuple[str, ...] | None) -> None:
    """Refuse a model, or a text, that lies elsewhere than in the folders."""
    if is_hub_reference(command.model) and folders is not None:
        raise EdgeprofError(
            f"this device does not fetch '{command.model}': put it into one of allowed.model_folders and name that"
        )
    if not _is_allowed(command.model, folders):
        raise EdgeprofError(
            f"this device does not allow the model '{command.model}': it is outside of allowed.model_folders"
        )
    for text in (step.text for step in command.plan.steps if step.text):
        if not _is_allowed(text, folders):
            raise EdgeprofError(f"this device does not allow the text '{text}': it is outside of allowed.model_folders")


def _refuse_other_plans(plan: Plan, allowed: tuple[str, ...]) -> None:
    """Refuse a plan that is none of those allowed: a name is anybody's to give, so all of it is compared."""
    from edgeprof.plan_file import find_plan  # noqa: PLC0415  most devices allow any plan

    if not any(find_plan(name) == plan for name in allowed):
        raise EdgeprofError(
            f"this device does not allow the plan '{plan.name}', or has another of its name: see allowed.plans"
        )


def _is_allowed(path: str, folders: tuple[str, ...] | None) -> bool:
    if folders is None or not path or is_synthetic(path):
        return True
    file = Path(path).expanduser().resolve()
    return any(file.is_relative_to(Path(folder).expanduser().resolve()) for folder in folders)
