"""The engine's options of a variant: those in force, as the engine told when it had loaded, before those asked for."""

from collections.abc import Mapping

from edgeprof.run import RunRecord


def options_in_force(record: RunRecord, variant: int) -> Mapping[str, str]:
    """The options of the variant's last load; of those that the engine did not name then, what was asked for.

    What was asked for counts, because an engine refuses to load with an option that it cannot honour.
    """
    asked = record.started.plan.variants[variant].options
    defaults = record.started.engine.options[variant].options if variant < len(record.started.engine.options) else {}
    told = next((loaded.options for loaded in reversed(record.loaded) if loaded.variant == variant), {})
    return {**asked, **defaults, **told}
