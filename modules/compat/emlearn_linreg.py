"""Linear regression that is trained on the board, as emlearn-micropython's module of this name."""

from wedau_compat import linreg as new  # noqa: F401


def train(
    model,
    X_train,
    y_train,
    max_iterations=100,
    tolerance=1e-6,
    check_interval=10,
    divergence_factor=10.0,
    score_limit=None,
    verbose=0,
):
    """Step down the gradient until the error stands still, is small enough, or grows.

    Args:
        model: of new().
        X_train: array 'f', the features of all rows, one row after the other.
        y_train: array 'f', a target for each row.
        max_iterations: steps at most, 1 or more.
        tolerance: ends where the mean squared error changed by less between two looks at it.
        check_interval: steps from one look to the next, 1 or more.
        divergence_factor: ends where the error is that many times the one before.
        score_limit: ends where the error is no larger; None: it does not matter.
        verbose: 1 prints why it ended, 2 also each error.

    Returns:
        Index of the last step, and the last error but the one that it ended with.

    Raises:
        ValueError: the arrays do not fit the model or each other, or a number is out of its range.
        TypeError: an argument is of another kind.
    """
    for number in (max_iterations, check_interval):
        if not isinstance(number, int):
            raise TypeError("max_iterations and check_interval must be int")
        if number < 1:
            raise ValueError("max_iterations and check_interval must be 1 or more")
    before = float("inf")
    for step in range(max_iterations):
        model.step(X_train, y_train)
        if step % check_interval:
            continue
        mse = model.score_mse(X_train, y_train)
        if verbose >= 2:
            print("emlearn_linreg: step", step, "mse", mse)
        steady = step > 2 * check_interval and abs(before - mse) < tolerance
        if steady or (score_limit is not None and mse <= score_limit):
            end = "converged"
        elif mse != mse or mse > before * divergence_factor:
            end = "diverged"
        else:
            before = mse
            continue
        if verbose >= 1:
            print("emlearn_linreg:", end, "at step", step)
        break
    return step, before
