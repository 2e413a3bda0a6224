"""Where the encoder lies and whether it is whole. Plain Python: web code may ask."""

import hashlib
import json
from pathlib import Path

# Vectors of different ids must never be compared; a new recipe is a new id.
MODEL_ID = "all-MiniLM-L6-v2/int8-1"
MODEL, TOKENIZER, MANIFEST = "model.onnx", "tokenizer.json", "manifest.json"


def home(folder: Path) -> Path:
    """Where in the folder of encoders the one of this version lies."""
    return folder / MODEL_ID.replace("/", "-")


def trouble(folder: Path) -> str:
    """Why the encoder in this folder cannot be used; empty when it can. Reads every byte."""
    place = home(folder)
    try:
        manifest = json.loads((place / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return "The encoder was never built here: run manage.py build_encoder."
    except (OSError, ValueError):
        return f"{MANIFEST} of the encoder cannot be read: run manage.py build_encoder again."
    if not isinstance(manifest, dict) or manifest.get("model_id") != MODEL_ID:
        return "The encoder is of another version: run manage.py build_encoder again."
    for name in (MODEL, TOKENIZER):
        try:
            found = digest(place / name)
        except OSError:
            return f"{name} of the encoder is missing: run manage.py build_encoder again."
        if found != manifest.get(name):
            return f"{name} of the encoder was changed: run manage.py build_encoder again."
    return ""


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
