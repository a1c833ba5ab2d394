"""Writes a tiny LFM2-Audio checkpoint with random weights, as the hub would serve it. Needs liquid-audio.

    python make_tiny_lfm2.py FOLDER [SEED]

It speaks gibberish. It is there to run the library's own loading, hearing and generation without the 3 GB of the real
one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# The library's loops and its chat template know these by number or by name.
NAMED = {
    0: "<|pad|>",
    1: "<|startoftext|>",
    2: "<|endoftext|>",
    6: "<|im_start|>",
    7: "<|im_end|>",
    128: "<|audio_start|>",
    129: "<|text_start|>",
    130: "<|text_end|>",
}
LETTERS = "user system assistant Perform ASR in japanese. it was the best of times, it was the worst of times"

PREPROCESSOR = {
    "sample_rate": 16000,
    "normalize": "per_feature",
    "window_size": 0.025,
    "window_stride": 0.01,
    "window": "hann",
    "features": 128,
    "n_fft": 512,
    "log": True,
    "frame_splicing": 1,
    "dither": 1e-5,
    "pad_to": 0,
    "pad_value": 0.0,
}
ENCODER = {
    "feat_in": 128,
    "feat_out": -1,
    "n_layers": 2,
    "d_model": 32,
    "subsampling": "dw_striding",
    "subsampling_factor": 8,
    "subsampling_conv_channels": 8,
    "causal_downsampling": False,
    "reduction": None,
    "reduction_position": None,
    "reduction_factor": 1,
    "ff_expansion_factor": 2,
    "self_attention_model": "rel_pos",
    "n_heads": 4,
    "att_context_size": [-1, -1],
    "xscaling": False,
    "untie_biases": True,
    "pos_emb_max_len": 5000,
    "conv_kernel_size": 9,
    "conv_norm_type": "batch_norm",
    "conv_context_size": None,
    "dropout": 0.1,
    "dropout_pre_encoder": 0.1,
    "dropout_emb": 0.0,
    "dropout_att": 0.1,
}
BACKBONE = {
    "model_type": "lfm2",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128000,
    "norm_eps": 1e-5,
    "initializer_range": 0.5,  # at the usual 0.02 the model says the last token over and over
    "rope_theta": 1e6,
    "conv_bias": False,
    "conv_L_cache": 3,
    "block_auto_adjust_ff_dim": False,
    "layer_types": ["conv", "full_attention", "conv"],
    "bos_token_id": 1,
    "eos_token_id": 7,
    "pad_token_id": 0,
}


def tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = [NAMED.get(number, f"<|reserved_{number}|>") for number in range(131)]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=440, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator([LETTERS], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token=NAMED[1],
        eos_token=NAMED[7],
        pad_token=NAMED[0],
        additional_special_tokens=[NAMED[6]],
    )


def make(folder: Path, seed: int = 0) -> None:
    import torch
    from liquid_audio.model.conformer.encoder import ConformerEncoderConfig
    from liquid_audio.model.lfm2_audio import DepthformerConfig, LFM2AudioConfig, LFM2AudioModel
    from safetensors.torch import save_file
    from transformers import Lfm2Config

    folder.mkdir(parents=True, exist_ok=True)
    words = tokenizer()
    words.save_pretrained(folder)
    common: dict[str, Any] = {
        "architectures": ["Lfm2AudioForConditionalGeneration"],
        "codebooks": 8,
        "tie_audio_embeddings": False,
        "semantic_codebook_factor": 100,
        "codebook_weight": "log",
        "interleaved_n_text": 6,
        "interleaved_n_audio": 12,
        "preprocessor": PREPROCESSOR,
    }
    backbone = BACKBONE | {"vocab_size": len(words)}
    depth = {"layers": 1, "dim": 64, "tie": True}  # its 32 heads are fixed in the library: 64 is the least
    config = common | {"encoder": ENCODER, "lfm": backbone, "depthformer": depth}
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")

    torch.manual_seed(seed)
    model = LFM2AudioModel(
        LFM2AudioConfig(
            encoder=ConformerEncoderConfig(**ENCODER),
            lfm=Lfm2Config(**backbone),
            depthformer=DepthformerConfig(**depth),
            **common,
        )
    )
    tensors: dict[str, Any] = {}
    storages: set[int] = set()
    for name, tensor in model.to(torch.bfloat16).state_dict().items():
        if tensor.data_ptr() not in storages:  # of tied tensors the format takes one
            tensors[name] = tensor.contiguous()
        storages.add(tensor.data_ptr())
    save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})  # accelerate insists on "pt"


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
