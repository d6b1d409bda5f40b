"""Fourteen posteriors with reference draws, fitted with each guide: `python examples/posteriors --guide mean_field`.

Nothing is set but the guide. A fit is right if every mean is within 0.25 standard deviations of the reference's, and
every standard deviation within 0.8 to 1.25 of it.
"""

import argparse
import collections

import jax
from catalogue import POSTERIORS, families
from judge import fit

LINE = "{:26}{:12}{:>8}{:>8}{:>7} –{:>5}{:>7}  {:8}{:6}{:>5}  {}"
HEADING = LINE.format("posterior", "guide", "mean", "exact", "sd", "sd", "k̂", "vipl", "truth", "s", "status")


def main():
    known = families()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guide", nargs="+", default=["all"], choices=[*known, "all"], metavar="GUIDE", help="or all")
    parser.add_argument("--posterior", nargs="+", default=[*POSTERIORS], choices=POSTERIORS, metavar="NAME")
    parser.add_argument("--seed", default=0, type=int, help="of all random numbers (default: %(default)s)")
    options = parser.parse_args()
    guides = known if "all" in options.guide else options.guide
    keys = dict(zip(POSTERIORS, jax.random.split(jax.random.key(options.seed), len(POSTERIORS)), strict=True))
    print("mean: worst error of a mean, in reference sds; exact: in exact sds; sd: least and largest ratio\n" + HEADING)
    counts, misses = collections.Counter(), []
    for guide in guides:
        for name in options.posterior:
            try:
                found = fit(name, known[guide], keys[name])
            except Exception as error:  # one that fails is a row of the table, not the end of it
                print(f"{name:26}{guide:12}{type(error).__name__}: {str(error).split(chr(10))[0]}", flush=True)
                continue
            print(row(name, guide, found), flush=True)
            counts[guide] += found.right
            if found.verdict == "good" and not found.right:
                misses.append(f"{name} by {guide}")
        jax.clear_caches()  # a process can hold the code of some thousand programs, and all guides together have more
    for guide in guides:
        print(f"{guide}: {counts[guide]} of {len(options.posterior)} are right")
    print("misses that vipl calls good: " + (", ".join(misses) or "none"))


def row(name, guide, found):
    exact = "" if found.exact_error is None else f"{found.exact_error:.3f}"
    verdicts = found.verdict.split()[0], "right" if found.right else "wrong"
    low, high = (f"{spread:.2f}" for spread in found.spreads)
    shown = f"{found.error:.3f}", exact, low, high, f"{found.khat:.2f}", *verdicts, f"{found.seconds:.0f}"
    return LINE.format(name, guide, *shown, found.status)


if __name__ == "__main__":
    main()
