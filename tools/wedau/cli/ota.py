"""wedau ota init|provision|release|publish|serve|status|show|renew|rotate|sign-root"""

import typer

from wedau.cli import (
    ota_init,
    ota_keys,
    ota_provision,
    ota_publish,
    ota_release,
    ota_serve,
    ota_show,
    ota_status,
)

app = typer.Typer(help="Updates over the air: signed here, verified by every node.")

app.command("init")(ota_init.init)
app.command("provision")(ota_provision.provision)
app.command("release")(ota_release.release)
app.command("publish")(ota_publish.publish)
app.command("serve")(ota_serve.serve)
app.command("status")(ota_status.status)
app.command("show")(ota_show.show)
app.command("renew")(ota_keys.renew)
app.command("rotate")(ota_keys.rotate)
app.command("sign-root")(ota_keys.sign_root)
