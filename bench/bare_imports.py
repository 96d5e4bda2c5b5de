"""The raw limit of a part's memory: `python -m bench.bare_imports MODULE …` imports libraries and does nothing more."""

import sys
from importlib import import_module

if __name__ == "__main__":
    for name in sys.argv[1:]:
        import_module(name)
    print("ready", flush=True)
    sys.stdin.read()
