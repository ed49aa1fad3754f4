"""Figures as people read them. None is "not measured", never zero and never invented."""

NOT_MEASURED = "not measured"


def count(value: float | None, unit: str = "") -> str:
    """Return "1,111", or "1,111 units" with a unit; rounded to a whole number."""
    if value is None:
        return NOT_MEASURED
    return f"{round(value):,} {unit}".rstrip()


def number(value: float | None, unit: str = "") -> str:
    """Return a setting without needless digits: "50 Hz", "12.5 Hz"."""
    return NOT_MEASURED if value is None else f"{value:g} {unit}".rstrip()


def size(value: int | None) -> str:
    """Return bytes in a handy unit: "812 bytes", "41.2 kB" (1 kB is 1,000 bytes)."""
    if value is None:
        return NOT_MEASURED
    if value < 1000:
        return f"{value} byte" if value == 1 else f"{value} bytes"
    if value < 999_950:
        return f"{value / 1000:.1f} kB"
    return f"{value / 1_000_000:.1f} MB"


def percent(share: float | None) -> str:
    """Return "86.1 %". Only a share of 1 is "100 %", and only a share of 0 is "0 %"."""
    if share is None:
        return NOT_MEASURED
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    return f"{min(max(share * 100, 0.1), 99.9):.1f} %"


def spread(low: int | None, high: int | None) -> str:
    """Return "900 to 1,300"."""
    if low is None or high is None:
        return NOT_MEASURED
    return f"{low:,} to {high:,}"


def value(number: float | None, unit: str | None) -> str:
    """Return a measured value with four digits: "44.27 mm"."""
    return NOT_MEASURED if number is None else f"{number:.4g} {unit or ''}".rstrip()
