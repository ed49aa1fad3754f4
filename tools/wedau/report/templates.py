"""The templates of the pages."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment() -> Environment:
    """Return a new environment: text is escaped, and a name that is missing is an error."""
    return Environment(
        loader=PackageLoader("wedau.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
