"""Commit every fault and print what happened; exit 1 if any is silent or explained badly.

python -m tests.faults             the table
python -m tests.faults 10 27       these rows, with the whole messages
"""

import sys

from .table import commit, in_order


def main(rows) -> int:
    failed = 0
    for fault in in_order():
        if rows and fault.row.rstrip("abcdefghijklmnopqrstuvwxyz") not in rows:
            continue
        outcome = commit(fault)
        failed += bool(outcome.problems)
        verdict = "FAIL" if outcome.problems else "pass"
        shown = outcome.message if rows else outcome.message.partition("\n")[0]
        print(f"{verdict}  {fault.row:>4}  {fault.title:50}  {outcome.word:16}  {shown}", flush=True)
        for problem in outcome.problems:
            print(f"            {problem}")
    print(f"{failed} failed" if failed else "every fault is answered")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
