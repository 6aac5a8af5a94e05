"""`recipes serve`: answer over HTTP."""

import logging

import click

from keras_recipes.cli import completion

log = logging.getLogger(__name__)


@click.command()
@click.argument("models", metavar="[MODEL]...", nargs=-1, shell_complete=completion.models)
@click.option(
    "--host",
    metavar="H",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; 0.0.0.0 is every network of this machine.",
)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--state",
    metavar="DIR",
    shell_complete=completion.files,
    help="A folder that keeps the states of streams: every minute, and when a stream or the server "
    "ends. Without it, each connection begins anew.",
)
@click.option(
    "--token-file",
    metavar="F",
    shell_complete=completion.files,
    help="A file with the token that each request has to carry (Authorization: Bearer). The "
    "default is the environment variable RECIPES_SERVE_TOKEN; without both, everyone may ask.",
)
@click.option(
    "--allow-origin",
    "origins",
    metavar="URL",
    multiple=True,
    help="A web page's scheme and host, such as https://example.org, that may ask from a browser; "
    "* is all. May be given several times.",
)
@click.option(
    "--largest-body",
    metavar="MB",
    type=click.FloatRange(0, 4_000, min_open=True),
    default=32,
    show_default=True,
    help="The most megabytes of a request; a stream has no such limit.",
)
@click.option(
    "--largest-picture",
    metavar="MP",
    type=click.FloatRange(0, 100, min_open=True),
    default=50,
    show_default=True,
    help="The most megapixels of a picture.",
)
@click.option(
    "--longest",
    metavar="S",
    type=click.FloatRange(0, 86_400, min_open=True),
    default=30,
    show_default=True,
    help="The most seconds of a request; a stream has no such limit.",
)
@click.option(
    "--most-requests",
    metavar="N",
    type=click.IntRange(1, 100_000),
    default=256,
    show_default=True,
    help="The most requests that are answered at once, streams included.",
)
@click.option(
    "--most-streams",
    metavar="N",
    type=click.IntRange(0, 10_000),
    default=32,
    show_default=True,
    help="The most streams that are open at once.",
)
@click.option(
    "--no-fit",
    is_flag=True,
    help="Let the page judge by the server's models only. Otherwise it also fits one, where "
    "TensorFlow is installed.",
)
@click.option(
    "--most-rows",
    metavar="N",
    type=click.IntRange(1, 100_000_000),
    default=100_000,
    show_default=True,
    help="The most lines or records of a file that the page fits and judges. One job runs at a "
    "time.",
)
@click.option(
    "--longest-job",
    metavar="S",
    type=click.FloatRange(0, 86_400, min_open=True),
    default=600,
    show_default=True,
    help="The most seconds of a job of the page.",
)
@click.option(
    "--largest-job",
    metavar="MB",
    type=click.FloatRange(0, 1_000_000, min_open=True),
    default=3_000,
    show_default=True,
    help="The most megabytes of memory of a job of the page.",
)
def serve(
    models: tuple[str, ...],
    host: str,
    port: int,
    state: str | None,
    token_file: str | None,
    origins: tuple[str, ...],
    largest_body: float,
    largest_picture: float,
    longest: float,
    most_requests: int,
    most_streams: int,
    no_fit: bool,
    most_rows: int,
    longest_job: float,
    largest_job: float,
) -> None:
    """Answer over HTTP, and show a page that draws the nets.

    It speaks the Open Inference Protocol, and gives the rows of `recipes predict`. Without MODEL,
    it has the trained nets for digits that come with this package. A request cannot load another
    model, or name a file of this machine. The server listens on this machine only, unless --host
    says otherwise. The page docs/serve.md lists the addresses.

    \b
    Example:
      recipes serve
      recipes serve xor saved_models/lstm-anomaly --port 8080 --state states
    """
    from keras_recipes import extras

    extras.require("serve", "serve")
    from keras_recipes.serve import app, running, streams
    from keras_recipes.serve.limits import MEGA, Limits

    token = running.token(token_file)
    listening = running.bound(host, port)
    with listening:
        if running.is_open(listening) and token is None:
            log.warning("others may ask this server, and there is no token; add --token-file")
        limits = Limits(
            body=int(largest_body * MEGA),
            pixels=int(largest_picture * MEGA),
            seconds=longest,
            requests=most_requests,
            streams=most_streams,
            fits=not no_fit,
            rows=most_rows,
            job_seconds=longest_job,
            job_memory=int(largest_job * MEGA),
        )
        made = app.made(
            models,
            limits=limits,
            token=token,
            origins=origins,
            states=streams.prepared(state) if state is not None else None,
        )
        stopped_by = running.run(made, listening)
    log.info("stopped")
    raise SystemExit(128 + stopped_by)
