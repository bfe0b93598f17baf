"""What an environment holds beside its engine, in the versions that are here, so that only the engine differs."""

from importlib.metadata import version

from lstmbench.records import Environment

BASE = ("msgspec", "numpy", "onnx", "psutil", "safetensors")  # what a worker imports


def pins() -> list[str]:
    """As an installer takes them."""
    return [f"{name}=={version(name)}" for name in BASE]


def moved(one: Environment) -> str:
    """Which of them were other versions when it was built: 'numpy 2.3.1, here 2.4.6'; empty where none was."""
    pairs = [(name, one.packages.get(name, "missing"), version(name)) for name in BASE]
    return ", ".join(f"{name} {there}, here {here}" for name, there, here in pairs if there != here)
