"""Writes a Hugging Face folder that ``transformers`` loads as ``WhisperForConditionalGeneration``.

The configuration is what transformers' own converter of OpenAI checkpoints writes (``convert_openai_to_hf.py``), as far
as the weights and CTranslate2's configuration tell it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from earwitness.types import RATE_HZ
from earwitness.weights import safetensors
from earwitness.weights.ctranslate2 import WhisperWeights

# OpenAI's name -> that of transformers, in this order.
_RENAMED = (
    ("blocks.", "layers."), (".attn_ln", ".self_attn_layer_norm"), (".cross_attn_ln", ".encoder_attn_layer_norm"),
    (".cross_attn.", ".encoder_attn."), (".attn.", ".self_attn."), (".mlp_ln", ".final_layer_norm"),
    (".mlp.0", ".fc1"), (".mlp.2", ".fc2"), (".query", ".q_proj"), (".key", ".k_proj"), (".value", ".v_proj"),
    (".out.", ".out_proj."), ("encoder.ln_post", "encoder.layer_norm"), ("decoder.ln.", "decoder.layer_norm."),
    ("token_embedding", "embed_tokens"), ("positional_embedding", "embed_positions.weight"),
)  # fmt: skip


def write(weights: WhisperWeights, folder: Path) -> None:
    """Write weights, configuration, feature extractor and tokenizer; the same weights give the same bytes."""
    tensors = {_renamed(name): values for name, values in weights.tensors.items()}
    safetensors.write(tensors, "pt", folder / "model.safetensors")
    pages = {
        "config": _config(weights),
        "generation_config": _generation_config(weights),
        "preprocessor_config": _preprocessor_config(weights),
        "tokenizer": weights.tokenizer,
        "tokenizer_config": _TOKENIZER_CONFIG,
    }
    for name, page in pages.items():
        text = json.dumps(page, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")


def _renamed(name: str) -> str:
    for old, new in _RENAMED:
        name = name.replace(old, new)
    return f"model.{name}"


def _special(weights: WhisperWeights) -> dict[str, int]:
    end = weights.vocabulary.index("<|endoftext|>")
    start = weights.vocabulary.index("<|startoftranscript|>")
    return {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end, "decoder_start_token_id": start}


def _config(weights: WhisperWeights) -> dict[str, Any]:
    dims = weights.dims
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "vocab_size": dims["n_vocab"],
        "num_mel_bins": dims["n_mels"],
        "d_model": dims["n_audio_state"],
        "encoder_layers": dims["n_audio_layer"],
        "encoder_attention_heads": dims["n_audio_head"],
        "encoder_ffn_dim": 4 * dims["n_audio_state"],
        "decoder_layers": dims["n_text_layer"],
        "decoder_attention_heads": dims["n_text_head"],
        "decoder_ffn_dim": 4 * dims["n_text_state"],
        "max_source_positions": dims["n_audio_ctx"],
        "max_target_positions": dims["n_text_ctx"],
        "activation_function": "gelu",
        "dropout": 0.0,
        "scale_embedding": False,
        "tie_word_embeddings": True,
        "dtype": weights.tensors["decoder.token_embedding.weight"].dtype.name,
        **_special(weights),
    }


def _generation_config(weights: WhisperWeights) -> dict[str, Any]:
    ids = {token: number for number, token in enumerate(weights.vocabulary)}
    config = {
        **_special(weights),
        "alignment_heads": weights.config["alignment_heads"],
        "suppress_tokens": weights.config["suppress_ids"],
        "begin_suppress_tokens": weights.config["suppress_ids_begin"],
        "max_length": weights.dims["n_text_ctx"],
        "max_initial_timestamp_index": 50,  # no first word later than a second into a window
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "prev_sot_token_id": ids["<|startofprev|>"],
        "return_timestamps": False,
        "is_multilingual": weights.multilingual,
    }
    if weights.multilingual:
        config["lang_to_id"] = {token: n for token, n in ids.items() if re.fullmatch(r"<\|[a-z]{2,3}\|>", token)}
        config["task_to_id"] = {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")}
    return config


def _preprocessor_config(weights: WhisperWeights) -> dict[str, Any]:
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": weights.dims["n_mels"],
        "sampling_rate": RATE_HZ,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
    }


_TOKENIZER_CONFIG = {
    "tokenizer_class": "WhisperTokenizer",
    "processor_class": "WhisperProcessor",
    **dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), "<|endoftext|>"),
    "model_max_length": 1024,
    "errors": "replace",
    "add_prefix_space": False,
}
