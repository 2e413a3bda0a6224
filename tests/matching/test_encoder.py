"""The encoder: the published weights, shrunk without losing what they know, or nothing at all."""

import math
import shutil
import subprocess
import sys

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from matching.engine import encoder, encoder_build, encoder_files
from matching.engine.encoder import load_encoder, why_not

SENTENCES = [
    "Redesign three checkout pages in Django templates, tested with screen readers.",
    "We need an accessible payment form for our ticket shop.",
    "Plan a rose garden with twelve beds for a hotel in the hills.",
    "Design of flower borders and hedges around a country house.",
    "Translate a cookbook from German into French, about two hundred recipes.",
    "Fix the slow SQL queries behind the monthly sales report.",
    "Speed up our PostgreSQL database, some pages take ten seconds.",
    "Record a voice-over for a four minute explainer video, friendly tone.",
    "Kubernetes",
    "Logo and business cards for a small bakery. " * 12,
]


@pytest.fixture(scope="module")
def whole():
    """The encoder as ./run and ./test build it."""
    found = load_encoder()
    assert found, why_not()
    return found


@pytest.fixture
def elsewhere(tmp_path, settings, whole):
    """A copy of the built files, to be spoiled."""
    shutil.copytree(encoder_files.home(settings.ENCODER_DIR), encoder_files.home(tmp_path))
    settings.ENCODER_DIR = tmp_path
    encoder._load.cache_clear()
    yield encoder_files.home(tmp_path)
    encoder._load.cache_clear()


def exact(weights, ids):
    """The six layers in numpy with all 32 bits, written from the description of the model."""

    def dense(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, x):
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    erf = np.vectorize(math.erf, otypes=[np.float32])
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm("embeddings.LayerNorm", x + weights["embeddings.token_type_embeddings.weight"][0])
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            dense(f"{name}.attention.self.{part}", x).reshape(-1, 12, 32).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        alike = query @ key.transpose(0, 2, 1) / math.sqrt(32)
        shares = np.exp(alike - alike.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        seen = (shares @ value).transpose(1, 0, 2).reshape(-1, 384)
        told = dense(f"{name}.attention.output.dense", seen)
        x = norm(f"{name}.attention.output.LayerNorm", x + told)
        wide = dense(f"{name}.intermediate.dense", x)
        wide = wide * 0.5 * (1 + erf(wide / math.sqrt(2)))
        x = norm(f"{name}.output.LayerNorm", x + dense(f"{name}.output.dense", wide))
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_vectors_are_of_one_length_and_one_row_per_text(whole):
    found = whole.encode(SENTENCES)

    assert found.shape == (len(SENTENCES), 384)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert whole.encode([]).shape == (0, 384)
    assert np.isfinite(whole.encode(["", "\u200b", "木" * 5000])).all()


def test_eight_bits_say_the_same_as_the_published_weights(whole):
    weights = encoder_build.read_weights(encoder_build.source() / "model.safetensors")
    tokens = whole._tokenizer.encode_batch(SENTENCES)
    known = np.stack([exact(weights, each.ids) for each in tokens])

    alike = (known * whole.encode(SENTENCES)).sum(axis=1)

    assert alike.min() >= 0.98


def test_texts_that_mean_the_same_lie_near_without_sharing_a_word(whole):
    checkout, form, roses, borders, _, sql, database, *_ = whole.encode(SENTENCES)

    assert checkout @ form > max(checkout @ roses, checkout @ sql)
    assert roses @ borders > max(roses @ form, roses @ database)
    assert sql @ database > max(sql @ checkout, sql @ borders)


def test_a_text_has_the_same_vector_in_any_company(whole):
    alone = whole.encode(SENTENCES[1:2])[0]

    together = whole.encode(SENTENCES)[1]

    assert (alone == together).all()


@pytest.mark.parametrize("name", [encoder_files.MODEL, encoder_files.TOKENIZER])
def test_a_file_that_was_changed_or_lost_is_not_used_and_the_reason_is_told(elsewhere, name):
    spoiled = elsewhere / name
    spoiled.write_bytes(spoiled.read_bytes()[:-1] + b"!")
    assert load_encoder() is None
    assert f"{name} of the encoder was changed" in why_not()

    spoiled.unlink()
    assert load_encoder() is None
    assert f"{name} of the encoder is missing" in why_not()


def test_files_of_another_version_are_not_used(elsewhere):
    manifest = elsewhere / encoder_files.MANIFEST
    manifest.write_text('{"model_id": "another"}')
    assert load_encoder() is None
    assert "another version" in why_not()

    manifest.write_text("{")
    assert load_encoder() is None
    assert "cannot be read" in why_not()


def test_files_that_appear_later_are_found_without_a_restart(elsewhere):
    aside = elsewhere.with_name("aside")
    elsewhere.rename(aside)
    assert load_encoder() is None
    assert "never built" in why_not()

    aside.rename(elsewhere)
    assert load_encoder()
    assert why_not() == ""


def test_building_again_repairs_what_is_broken_and_leaves_what_is_whole(elsewhere, capsys):
    call_command("build_encoder")
    assert "there already" in capsys.readouterr().out
    whole_bytes = (elsewhere / encoder_files.MODEL).read_bytes()
    (elsewhere / encoder_files.MODEL).write_bytes(b"half")

    call_command("build_encoder")

    assert "is built" in capsys.readouterr().out
    assert (elsewhere / encoder_files.MODEL).read_bytes() == whole_bytes
    assert [path.name for path in elsewhere.parent.iterdir()] == [elsewhere.name]


def test_weights_we_do_not_know_are_not_used(elsewhere, monkeypatch):
    (elsewhere / encoder_files.MODEL).unlink()
    monkeypatch.setattr(encoder_build, "WEIGHTS_SHA256", "0" * 64)

    with pytest.raises(CommandError, match="not the file we know"):
        call_command("build_encoder")

    assert load_encoder() is None


def test_asking_whether_the_encoder_is_there_loads_nothing_heavy():
    code = (
        "import sys; from matching.engine import encoder_files;"
        "print({'numpy', 'onnx', 'onnxruntime', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
