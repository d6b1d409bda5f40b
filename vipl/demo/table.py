"""The demo's table: every fit beside its reference, and what its verdict and the reference say of it."""

from __future__ import annotations

from vipl.demo.comparison import MEANS_WITHIN, SPREADS_WITHIN, Comparison, Row

_WIDTH = 96


def table(comparisons: list[Comparison]) -> str:
    """Return the whole table as text."""
    heading = f"{'':20}{'':14}{'vipl':>18}{'reference':>22}{'difference':>20}"
    units = f"{'model':20}{'parameter':14}{'mean':>10}{'sd':>8}{'mean':>14}{'sd':>8}{'in reference sds':>20}"
    blocks = [_block(comparison) for comparison in comparisons]
    return "\n".join([heading, units, "─" * _WIDTH, *("\n".join([*block, "─" * _WIDTH]) for block in blocks)])


def verdicts(comparisons: list[Comparison]) -> str:
    """Return a paragraph for each model: how good the fit says it is, and how good it is."""
    return "\n\n".join("\n  ".join([c.model.TITLE, *verdict(c)]) for c in comparisons)


def verdict(comparison: Comparison) -> list[str]:
    """Return lines on one fit: its own numbers, its verdict, the reference in words."""
    posterior = comparison.posterior
    bound = f"ELBO {posterior.elbo:.2f} ± {posterior.elbo_se:.2f} nats"
    exact = getattr(comparison.model, "log_evidence", None)
    if exact is not None:
        bound += f" (exact log evidence {exact():.2f})"
    means, spreads = _means_are_right(comparison), _spreads_are_right(comparison)
    words = posterior.verdict.replace("poor", "POOR: do not trust the spread, and check the means")
    lines = [
        f"{bound}; fitted in {comparison.seconds:.1f} s",
        f"k̂ {posterior.khat:.2f} (threshold {posterior.psis.threshold:.2f}): {words}",
        "reference: " + _against_reference(comparison, means, spreads),
    ]
    if posterior.verdict == "good" and not (means and spreads):
        lines.append("the verdict does not show this: it judges the guide where it draws, not what it leaves out")
    return lines


def _against_reference(comparison, means, spreads):
    worst = comparison.rows[comparison.worst]
    low, high = comparison.spreads
    return (
        f"means {'right' if means else 'WRONG'}, off by {abs(worst.difference):.2f} sd at most; "
        f"spreads {'right' if spreads else 'WRONG'}, {low:.2f} to {high:.2f} of the reference's"
    )


def _means_are_right(comparison) -> bool:
    return abs(comparison.rows[comparison.worst].difference) <= MEANS_WITHIN


def _spreads_are_right(comparison) -> bool:
    low, high = comparison.spreads
    return SPREADS_WITHIN[0] <= low and high <= SPREADS_WITHIN[1]


def _block(comparison: Comparison) -> list[str]:
    rows, shown, title = comparison.rows, comparison.model.SHOWN, comparison.model.TITLE
    lines = [_line("" if i else title, name, rows[name]) for i, name in enumerate(shown)]
    if len(rows) > len(shown):
        lines.append(_line(f"  worst of {len(rows)}:", comparison.worst, rows[comparison.worst]))
    return lines


def _line(title: str, name: str, row: Row) -> str:
    numbers = f"{row.mean:>z10.3f}{row.sd:>8.3f}{row.reference_mean:>z14.3f}{row.reference_sd:>8.3f}"
    return f"{title:20}{name:14}{numbers}{row.difference:>+z20.2f}"
