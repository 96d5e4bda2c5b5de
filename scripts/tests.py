"""All tests but the rig's: first those that bear company, on every processor; then those that time something or fill
the machine.

Words on the command line go to pytest. Whoever chooses tests by mark (-m) has them run one after the other.
"""

import os
import subprocess
import sys

# Marks of tests that have the machine to themselves.
ALONE = "alone or journey or race"
# They boot a machine of their own: make test-rig.
RIG = "rig"
NOTHING_CHOSEN = 5


def main(words: list[str]) -> int:
    """0 if every test that was chosen passes; else what pytest says."""
    if "-m" in words:
        return _pytest(words)
    codes = [
        _pytest(["-n", str(os.cpu_count() or 1), "--dist", "worksteal", "-m", f"not ({ALONE} or {RIG})", *words]),
        _pytest(["-m", f"({ALONE}) and not {RIG}", *words]),
    ]
    if all(code == NOTHING_CHOSEN for code in codes):
        return NOTHING_CHOSEN
    return next((code for code in codes if code not in (0, NOTHING_CHOSEN)), 0)


def _pytest(words: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
