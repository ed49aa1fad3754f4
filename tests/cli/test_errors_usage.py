"""A command line that asks for something that does not exist."""

import pytest
from outcomes import Refused, Wedau


@pytest.mark.parametrize(
    ("args", "says", "helps"),
    [
        ([], "missing command", "'wedau --help'"),
        (["frobnicate"], "no such command 'frobnicate'", "'wedau --help'"),
        (["sim"], "missing command", "'wedau sim --help'"),
        (["sim", "begin"], "no such command 'begin'", "'wedau sim --help'"),
        (["bench"], "missing command", "'wedau bench --help'"),
        (["train"], "missing argument 'data'", "'wedau train --help'"),
        (["train", "data.csv"], "missing option '--output' / '-o'", "'wedau train --help'"),
        (["train", "data.csv", "-o"], "'-o' requires an argument", "'wedau --help'"),
        (["train", "data.csv", "--lable", "x"], "--label", "'wedau train --help'"),
        (["predict", "saw"], "missing argument 'data'", "'wedau predict --help'"),
        (["push", "saw", "two"], "unexpected extra argument(s) (two)", "'wedau push --help'"),
        (["build", "saw", "--arhc", "x64"], "--arch", "'wedau build --help'"),
    ],
)
def test_usage_errors_point_to_the_commands_own_help(
    refused: Refused, args: list[str], says: str, helps: str
) -> None:
    refusal = refused(*args, code=2)
    assert says in refusal.error
    assert refusal.hint == f"{helps} says what it takes"


@pytest.mark.parametrize(
    "option", ["--seed", "--trees", "--depth", "--leaves", "--rate-hz", "--window-ms", "--hop-ms"]
)
def test_an_option_that_is_no_number_is_named(refused: Refused, option: str) -> None:
    refusal = refused("train", "data.csv", "-o", "saw", option, "many", code=2)
    assert refusal.error.startswith(f"invalid value for '{option}': ")
    assert "number" in refusal.error or "integer" in refusal.error
    assert refusal.hint == "'wedau train --help' says what it takes"


@pytest.mark.parametrize(
    ("option", "value", "range_"),
    [
        ("--seed", "-1", "0 to 4294967295"),
        ("--trees", "0", "1 to 1000"),
        ("--depth", "33", "1 to 32"),
        ("--leaves", "1", "2 to 10000"),
        ("--rate-hz", "0", "0.001 to 1000000000"),
        ("--window-ms", "nan", "0.001 to 1000000000"),
        ("--hop-ms", "-5", "0.001 to 1000000000"),
    ],
)
def test_an_option_out_of_range_is_named_with_its_range(
    refused: Refused, option: str, value: str, range_: str
) -> None:
    refusal = refused("train", "data.csv", "-o", "saw", option, value)
    assert f"not within {range_}" in refusal.error
    assert value.removesuffix(".0") in refusal.error
    assert "default" in refusal.hint


@pytest.mark.parametrize("given", ["m/s2", "ax=", "=m/s2"])
def test_a_unit_without_its_column_is_refused(refused: Refused, given: str) -> None:
    refusal = refused("train", "data.csv", "-o", "saw", "--unit", given)
    assert refusal.error == f"--unit {given} names no unit"
    assert "accel_x=m/s2" in refusal.hint


def test_an_unknown_time_unit_is_refused(refused: Refused) -> None:
    refusal = refused("train", "data.csv", "-o", "saw", "--time-unit", "h")
    assert refusal.error == "the time unit 'h' is not known"
    assert refusal.hint == "use one of s, ms, us"


@pytest.mark.parametrize("name", ["two words", "2nd", "class", "naïve"])
def test_a_name_that_no_import_could_name_is_refused(refused: Refused, name: str) -> None:
    refusal = refused("train", "data.csv", "-o", "saw", "--name", name)
    assert name in refusal.error
    assert "--name saw" in refusal.hint


def test_the_name_of_a_module_of_micropython_is_refused(refused: Refused) -> None:
    refusal = refused("train", "data.csv", "-o", "time")
    assert refusal.error == "the model cannot be named 'time': that is a module of " + (
        "MicroPython or Wedau"
    )
    assert "--name time_model" in refusal.hint


def test_a_version_that_the_module_cannot_hold_is_refused(refused: Refused) -> None:
    refusal = refused("train", "data.csv", "-o", "saw", "--model-version", 'v"1"')
    assert refusal.error.startswith("the version 'v\"1\"'")
    assert "1.0.0" in refusal.hint


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["train", "--help"], ["sim", "-h"]])
def test_help_goes_to_stdout(wedau: Wedau, args: list[str]) -> None:
    outcome = wedau(*args)
    assert outcome.code == 0
    assert "Usage: wedau" in outcome.out
    assert outcome.err == ""


def test_debug_shows_where_an_error_comes_from(wedau: Wedau) -> None:
    outcome = wedau("train", "no.csv", "-o", "saw", "--debug")
    assert outcome.code == 1
    assert "Traceback (most recent call last)" in outcome.err
    assert "in read" in outcome.err or "in _bytes" in outcome.err
    assert outcome.err.splitlines()[-2].startswith("error: cannot read no.csv")
