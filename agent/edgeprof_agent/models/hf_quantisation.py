"""How the weights of a Hugging Face folder are quantised, by its configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from edgeprof.errors import EdgeprofError


class Method(Enum):
    """Whose layout the quantised weights have."""

    NONE = "none"
    MLX = "mlx"
    GPTQ = "gptq"
    AWQ = "awq"
    EXL2 = "exl2"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderQuantisation:
    """A folder's quantisation. ``bits_by_module`` names the modules that differ; EXL2's ``bits`` are an average."""

    method: Method
    label: str
    bits: float = 16
    bits_by_module: Mapping[str, int] = field(default_factory=dict)

    def bits_of(self, module: str) -> int:
        """Bits per weight of a module of the model."""
        return self.bits_by_module.get(module, int(self.bits))

    def type_of(self, module: str) -> str:
        """The name of a module's storage type."""
        if self.method is Method.EXL2:
            return self.label
        return f"{self.method.name}_Q{self.bits_of(module)}"


def read_quantisation(path: Path, config: Mapping[str, object], plain_type: str) -> FolderQuantisation:
    """Read what the configuration at ``path`` says; ``plain_type`` is the label of weights that are not quantised.

    Raises:
        EdgeprofError: it does not say how many bits a weight has.
    """
    mlx, other = config.get("quantization"), config.get("quantization_config")
    if isinstance(mlx, dict):
        bits = _bits(path, mlx)
        modules = {name: int(_bits(path, value)) for name, value in mlx.items() if isinstance(value, dict)}
        return FolderQuantisation(method=Method.MLX, label=f"MLX_Q{bits:g}", bits=bits, bits_by_module=modules)
    if not isinstance(other, dict):
        return FolderQuantisation(method=Method.NONE, label=plain_type)
    name = str(other.get("quant_method", ""))
    try:
        method = Method(name)
    except ValueError:
        return FolderQuantisation(method=Method.OTHER, label=name.upper() or plain_type)
    bits = _bits(path, other)
    label = f"EXL2_{bits:g}BPW" if method is Method.EXL2 else f"{method.name}_Q{bits:g}"
    return FolderQuantisation(method=method, label=label, bits=bits)


def _bits(path: Path, quantisation: Mapping[str, object]) -> float:
    bits = quantisation.get("bits")
    if isinstance(bits, int | float) and 0 < bits <= 32:
        return bits
    raise EdgeprofError(f"{path}: its quantisation has no 'bits': fetch the file again")
