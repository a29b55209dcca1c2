"""What the peers share: how a step is called, timed and reported.

    python NAME/run.py STEP FOLDER [ARGUMENT...]

works in FOLDER, where `events.ndjson` lies, and prints one line of JSON: `seconds`, of the step alone
(the interpreter and its imports are left out, in the peer's favour), and `peak_bytes` of the process.
"""

import json
import os
import sys
import time

# Times are milliseconds since 1970; the windows are those of plain.toml. AS_OF is
# 2026-01-01T00:00:00Z.
AS_OF = 1_767_225_600_000
DAY = 86_400_000
STANDARD_TRASH = 30 * DAY
DIAMOND_TRASH = 180 * DAY
INACTIVE_AFTER = 365 * DAY

# An event's key: when it happened, then its place in the log, in one whole number. So "the last
# before" is a maximum, and nothing has to be sorted. EPOCH is 2023-01-01T00:00:00Z, when the
# generated events begin: three years and 67 million places fit.
EPOCH = 1_672_531_200_000
PLACE_BITS = 26


class Clock:
    """Times what happens within `with`."""

    def __enter__(self):
        self.begun = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self.begun


def sql(run_file, name, **values):
    """The query in `name` beside `run_file`, its comments left out; `{value}` stands for one of
    `values`."""
    path = os.path.join(os.path.dirname(os.path.abspath(run_file)), name)
    with open(path, encoding="utf-8") as file:
        text = "".join(line for line in file if not line.startswith("--"))
    constants = {
        "as_of": AS_OF,
        "standard_trash": STANDARD_TRASH,
        "diamond_trash": DIAMOND_TRASH,
        "inactive_after": INACTIVE_AFTER,
        "epoch": EPOCH,
        "place_bits": PLACE_BITS,
    }
    for key, value in {**constants, **values}.items():
        text = text.replace("{" + key + "}", str(value))
    return text


def remove(*names):
    """Removes files that an earlier round left."""
    for name in names:
        if os.path.exists(name):
            os.remove(name)


def peak_bytes():
    """The most memory that this process had. What `getrusage` says begins, on Linux, with the size of
    whoever started it; `VmHWM` does not."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except OSError:
        return None


def main(steps, version):
    """Runs the step that the command line names; each gives its seconds, or an object with more."""
    step, folder, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    if step == "version":
        print(json.dumps({"version": version}))
        return
    os.chdir(folder)
    result = steps[step](*arguments)
    if not isinstance(result, dict):
        result = {"seconds": result}
    result.setdefault("peak_bytes", peak_bytes())
    print(json.dumps(result))
