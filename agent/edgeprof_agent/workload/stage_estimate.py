"""How long each stage of a run should take, before anything was measured."""

from collections.abc import Callable

from edgeprof.plan import Plan, Step, Variant
from edgeprof.run import ModelFacts, PhaseKind
from edgeprof_agent.models.speed import Speed, assumed_speed, step_seconds
from edgeprof_agent.workload.schedule import Stage

_UNKNOWN_BYTES_PER_SECOND = 20e9
_LOAD_BYTES_PER_SECOND = 500e6
_LOAD_SECONDS = 0.2
_CEILING_SECONDS = 2.7
_GATE_SECONDS = 1.5  # some looks of half a second: what starts a run is busy for a moment
_WARM_UP_DECODE_TOKENS = 4


KnownSpeed = Callable[[Variant], Speed | None]
"""The speed of the model with a variant's options, if it has run here."""


class StageEstimate:
    """Estimates from a plan, a model and its speed: of its last run here if there was one, else what is usual."""

    def __init__(
        self,
        plan: Plan,
        model: ModelFacts,
        physical_cores: int,
        read_bytes_per_second: float | None,
        known_speed: KnownSpeed = lambda _: None,
    ) -> None:
        self._plan = plan
        self._model = model
        self._physical_cores = physical_cores
        self._known_speeds = [known_speed(variant) for variant in plan.variants]
        self._speeds: list[Speed]
        self._seconds_of_steps: list[list[float]]
        self.use_bandwidth(read_bytes_per_second or _UNKNOWN_BYTES_PER_SECOND)

    def use_bandwidth(self, read_bytes_per_second: float) -> None:
        """Estimate with this bandwidth from now on, where the model's own speed is not known."""
        assumed = assumed_speed(self._model, read_bytes_per_second, self._physical_cores)
        self._speeds = [known or assumed for known in self._known_speeds]
        steps = list(zip(self._plan.steps, _held_tokens(self._plan.steps), strict=True))
        self._seconds_of_steps = [[step_seconds(step, speed, held) for step, held in steps] for speed in self._speeds]

    def repetition_seconds(self) -> float:
        """Seconds that a repetition of every timed step of every variant should take, with the loads that it needs."""
        timed = [index for index, step in enumerate(self._plan.steps) if step.kind.is_timed]
        seconds = sum(of_variant[index] for of_variant in self._seconds_of_steps for index in timed)
        if self._plan.fresh_processes:
            seconds += sum(self._load_seconds() + self._warm_up_seconds(speed) for speed in self._speeds)
        return seconds

    def seconds(self, stage: Stage) -> float:
        """Seconds that a stage should take. Waiting at the gate for others to end is not foreseen."""
        if stage.kind is PhaseKind.STEP and stage.step:
            return self._seconds_of_steps[stage.step.variant][stage.step.step]
        if stage.kind is PhaseKind.WARM_UP and stage.step:
            return self._warm_up_seconds(self._speeds[stage.step.variant])
        gates = self._plan.gates
        waits = gates.idle_cpu_ratio is not None or gates.start_temperature_celsius is not None
        return {
            PhaseKind.GATE: _GATE_SECONDS if waits else 0.0,
            PhaseKind.CEILING: _CEILING_SECONDS,
            PhaseKind.LOAD: self._load_seconds(),
            PhaseKind.REST: self._plan.rest_seconds,
        }.get(stage.kind, 0.0)

    def _load_seconds(self) -> float:
        return _LOAD_SECONDS + self._model.file_bytes / _LOAD_BYTES_PER_SECOND

    def _warm_up_seconds(self, speed: Speed) -> float:
        prompt_tokens = max(step.depth_tokens + step.prompt_tokens for step in self._plan.steps)
        warm_up = Step(kind=self._plan.steps[0].kind, prompt_tokens=prompt_tokens, decode_tokens=_WARM_UP_DECODE_TOKENS)
        return step_seconds(warm_up, speed)


def _held_tokens(steps: tuple[Step, ...]) -> list[int]:
    """How many tokens of its depth each step finds in the context, which the step before it has left there.

    Sequences that are decoded together have contexts of their own, which keep their depth from one repetition to the
    next if no other parallel step has another.
    """
    depths = {step.depth_tokens for step in steps if step.sequences}
    alone = [step for step in steps if not step.sequences]
    held = iter([before.context_tokens for before in [*alone[-1:], *alone[:-1]]])
    return [(step.depth_tokens if len(depths) == 1 else 0) if step.sequences else next(held) for step in steps]
