"""Makes tiny models with random weights out of transformers' own classes, one for every way of calling a model.

    python tiny_models.py FOLDER KIND...

Run by an interpreter that has transformers and torch. What such a model writes means nothing; that it is loaded, called
and decoded is what a test can see.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers as hf

WORDS = ["<unk>", "<pad>", "<s>", "</s>", *"abcdefgh", "<blank>", "<|audio|>", "<|in|>", "<|out|>", "English"]


def tokenizer(kind: Any = hf.PreTrainedTokenizerFast, **special: Any) -> Any:
    words = tokenizers.models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>")
    made = tokenizers.Tokenizer(words)
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return kind(tokenizer_object=made, unk_token="<unk>", pad_token="<pad>", **special)


def wav2vec2(folder: Path) -> None:
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(["<pad>", "<unk>", "|", *"ABC"])}))
    processor = hf.Wav2Vec2Processor(
        hf.Wav2Vec2FeatureExtractor(),
        hf.Wav2Vec2CTCTokenizer(str(folder / "vocab.json"), bos_token=None, eos_token=None),
    )
    config = hf.Wav2Vec2Config(
        vocab_size=6, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        conv_dim=(8,) * 7, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    _save(hf.Wav2Vec2ForCTC(config), processor, folder)


def parakeet(folder: Path, kind: str) -> None:
    encoder = {
        "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
        "subsampling_conv_channels": 8, "num_mel_bins": 80,
    }  # fmt: skip
    common = {"vocab_size": len(WORDS), "pad_token_id": 1, "encoder_config": encoder}
    blank = WORDS.index("<blank>")
    if kind == "ctc":
        model = hf.ParakeetForCTC(hf.ParakeetCTCConfig(**common))
    else:
        config = {"tdt": hf.ParakeetTDTConfig, "rnnt": hf.ParakeetRNNTConfig}[kind]
        model = {"tdt": hf.ParakeetForTDT, "rnnt": hf.ParakeetForRNNT}[kind](
            config(**common, blank_token_id=blank, decoder_hidden_size=16)
        )
        model.generation_config.decoder_start_token_id = blank
        # The outputs after the words are durations, which must not be taken for words.
        n_durations = len(getattr(model.config, "durations", []))
        model.generation_config.suppress_tokens = [*range(len(WORDS), len(WORDS) + n_durations)] or None
    tokens = tokenizer(hf.ParakeetTokenizer)
    _save(model, hf.ParakeetProcessor(hf.ParakeetFeatureExtractor(feature_size=80), tokens, decoder_type=kind), folder)


def moonshine(folder: Path) -> None:
    config = hf.MoonshineConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=32, encoder_num_hidden_layers=1,
        decoder_num_hidden_layers=1, encoder_num_attention_heads=2, decoder_num_attention_heads=2,
        bos_token_id=2, eos_token_id=3, decoder_start_token_id=2, pad_token_id=1, initializer_range=0.5,
    )  # fmt: skip
    tokens = tokenizer(bos_token="<s>", eos_token="</s>")
    processor = hf.Wav2Vec2Processor(hf.Wav2Vec2FeatureExtractor(do_normalize=False), tokens)
    _save(hf.MoonshineForConditionalGeneration(config), processor, folder)


def qwen3_asr(folder: Path) -> None:
    audio = {
        "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "d_model": 16, "output_dim": 32,
        "downsample_hidden_size": 8,
    }  # fmt: skip
    text = {
        "vocab_size": len(WORDS), "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "head_dim": 16,
        "num_attention_heads": 2, "num_key_value_heads": 2, "initializer_range": 0.5, "pad_token_id": 1,
        "bos_token_id": 2, "eos_token_id": 3,
    }  # fmt: skip
    config = hf.Qwen3ASRConfig(
        audio_config=audio, text_config=text, audio_token_id=WORDS.index("<|audio|>"), pad_token_id=1, eos_token_id=3
    )
    roles = {"audio_token": "<|audio|>", "audio_bos_token": "<|in|>", "audio_eos_token": "<|out|>"}
    tokens = tokenizer(bos_token="<s>", eos_token="</s>", extra_special_tokens=roles)
    template = (
        "{% for message in messages %}{% for part in message['content'] %}"
        "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %} <|in|> <|audio|> <|out|> {% endif %}"
        "{% endfor %}{% endfor %}"
    )
    processor = hf.Qwen3ASRProcessor(hf.Qwen3ASRFeatureExtractor(), tokens, chat_template=template)
    _save(hf.Qwen3ASRForConditionalGeneration(config), processor, folder)


def _save(model: Any, processor: Any, folder: Path) -> None:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def main(kind: str, folder: Path) -> None:
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    if kind.startswith("parakeet-"):
        parakeet(folder, kind.removeprefix("parakeet-"))
    else:
        {"wav2vec2": wav2vec2, "moonshine": moonshine, "qwen3-asr": qwen3_asr}[kind](folder)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        main(name, Path(sys.argv[1]) / name)
