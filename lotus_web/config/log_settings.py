"""The settings of the transparency log (docs/proof.md); part of ``Settings``, which lists and reads them."""

from __future__ import annotations

from lotus_web.config.setting_types import Setting, line, text, whole
from lotus_web.domain.transparency.witnesses import WitnessAddress, parse_witnesses


class LogSettings:
    """With which key checkpoints are signed, how often, where they are kept and who else signs them."""

    log_key_file = text(
        "LOTUS_LOG_KEY_FILE",
        "",
        "the file of the key that signs the checkpoints of the log; without one, none are made",
    )
    log_origin = line(
        "LOTUS_LOG_ORIGIN", "lotus-web", "the name of this deployment's logs, the same for ever: no spaces"
    )
    database_owner_url = text(
        "LOTUS_DATABASE_OWNER_URL",
        "",
        "the PostgreSQL URL of the role that owns the tables and runs migrations; the application's own then owns nothing",
        secret=True,
    )
    checkpoint_dir = text(
        "LOTUS_CHECKPOINT_DIR",
        "",
        "a folder outside the store where checkpoints are kept as files, best on a volume of its own",
    )
    checkpoint_seconds = whole(
        "LOTUS_CHECKPOINT_SECONDS", 60, "how often a checkpoint is signed while there is something new", high=3600
    )
    witnesses = Setting[tuple[WitnessAddress, ...]](
        "LOTUS_WITNESSES",
        (),
        parse_witnesses,
        'JSON: [{"url": "https://…", "key": "name+id+key"}, …]',
        "who is asked to sign the checkpoints too, each outside the reach of this deployment",
    )
