"""Sentences as vectors: what means the same lies near, whatever words it uses.

Optional. Without the files that `manage.py build_encoder` writes, `load_encoder()` gives None
and the matcher works with words alone. onnxruntime is loaded only when an encoder is.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from django.conf import settings

from matching.engine import encoder_files

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

DIMENSIONS = 384
# The model was trained on texts of this length; what comes later in a text is not read.
MOST_TOKENS = 128


class Encoder:
    """all-MiniLM-L6-v2 with weights of eight bits, on one core. English above all."""

    model_id = encoder_files.MODEL_ID

    def __init__(self, session: "InferenceSession", tokenizer: "Tokenizer") -> None:
        self._session = session
        self._tokenizer = tokenizer

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text; texts without a word get a row as well.

        Texts go through the model one at a time: its rounding depends on everything in a
        batch, and a text must have the same vector in any company. Batches are not faster.
        """
        found = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for row, tokens in enumerate(self._tokenizer.encode_batch(list(texts))):
            ids = np.asarray(tokens.ids, dtype=np.int64)
            found[row] = self._session.run(None, {"ids": ids})[0]
        return found


def load_encoder() -> Encoder | None:
    """The encoder of this machine, kept once it is loaded, or None: `why_not()` says why."""
    folder = Path(settings.ENCODER_DIR)
    try:
        return _load(folder)
    except EncoderUnusable:
        return None


def why_not() -> str:
    """Why `load_encoder()` gives None; empty when it gives an encoder."""
    try:
        _load(Path(settings.ENCODER_DIR))
    except EncoderUnusable as reason:
        return str(reason)
    return ""


class EncoderUnusable(Exception):
    """Files of the encoder are missing or not those that were built."""


# A failure is not kept: files that appear later are found without a restart.
@lru_cache(maxsize=1)
def _load(folder: Path) -> Encoder:
    if trouble := encoder_files.trouble(folder):
        raise EncoderUnusable(trouble)
    # Dear to import, and not there at all where somebody left it out.
    try:
        from onnxruntime import InferenceSession, SessionOptions  # noqa: PLC0415
        from tokenizers import Tokenizer  # noqa: PLC0415
    except ImportError as error:
        raise EncoderUnusable(f"A package is missing: {error.name}.") from error
    place = encoder_files.home(folder)
    tokenizer = Tokenizer.from_file(str(place / encoder_files.TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=MOST_TOKENS)
    options = SessionOptions()
    # Workers are many; each keeps to its own core.
    options.intra_op_num_threads = 1
    session = InferenceSession(
        str(place / encoder_files.MODEL), options, providers=["CPUExecutionProvider"]
    )
    return Encoder(session, tokenizer)
