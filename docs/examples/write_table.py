"""Write a real table of ready features as a CSV file, to try Wedau with.

178 wines of three cultivars, thirteen chemical measurements each: the data set wine that
scikit-learn carries. With --german it has semicolons and decimal commas, as a German spreadsheet
saves it.
"""

import argparse
from pathlib import Path

from sklearn.datasets import load_wine


def main() -> None:
    """Write the CSV."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--german", action="store_true", help="semicolons and decimal commas")
    options = parser.parse_args()
    table = load_wine(as_frame=True).frame
    table["cultivar"] = [f"cultivar_{number}" for number in table.pop("target")]
    table.columns = [name.split("/")[0] for name in table.columns]
    german = {"sep": ";", "decimal": ","} if options.german else {}
    table.to_csv(options.file, index=False, **german)


if __name__ == "__main__":
    main()
