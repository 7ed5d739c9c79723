import importlib
from types import ModuleType


def optional(name: str) -> ModuleType | None:
    """Import a module that may not be there; what it lacks itself is still an error."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        return None
