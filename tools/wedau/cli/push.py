"""wedau push"""

from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line


def push(
    folder: options.ModelFolder, port: options.Port = None, json: options.Json = False
) -> None:
    """Put a built model onto a board; the old one stays until the new one is whole."""
    from wedau.cli import modules
    from wedau.cli.workbench import choose_port
    from wedau.device import link
    from wedau.device import push as device_push
    from wedau.train.model import TrainedModel

    card = TrainedModel.load(folder).card
    with link.Board(choose_port(port)) as board, bar("pushing") as on_progress:
        built = modules.load(folder, board.info.arch)
        done = device_push.push(
            board, built.files, needs_heap_bytes=built.heap_bytes, on_progress=on_progress
        )
        name = board.port
    if json:
        print_json({"port": name, **vars(done)})
        return
    kept = " (was there already)" if not done.sent_bytes else ""
    print_line(f"{card.name} {card.version} is on {name} in {done.folder}{kept}")
