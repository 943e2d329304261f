"""A checkpoint's tokenizer as the files that AutoTokenizer reads."""

from __future__ import annotations

import json
from typing import Any

#: What tokenizers call the token behind a text, or before it.
_ENDS = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|im_end|>", "<s>", "<bos>")


def tokenizer_files(described: dict[str, Any]) -> tuple[dict[str, str], int | None]:
    """File texts by name, and the id that pads.

    A model of lsm has seen documents' borders as places and not as tokens. Programs such as lm_eval need a token that may stand
    before a text all the same, as `eos_token`; what pads is as good as any where the tokenizer has none.
    """
    given = bytes_tokenizer() if described["kind"] == "bytes" else json.loads(described["json"])
    special = [token for token in given.get("added_tokens", []) if token.get("special")]
    pad = next((token for token in special if "pad" in token["content"].lower()), None) or next(iter(special), None)
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    if pad is not None:
        config["pad_token"] = pad["content"]
        ends = [token["content"] for end in _ENDS for token in special if token["content"] == end]
        config["eos_token"] = next(iter(ends), pad["content"])
    files = {
        "tokenizer.json": json.dumps(given, ensure_ascii=False),
        "tokenizer_config.json": json.dumps(config, indent=2, ensure_ascii=False) + "\n",
    }
    return files, None if pad is None else pad["id"]


def bytes_tokenizer() -> dict[str, Any]:
    """Ids are the bytes of UTF-8: a vocabulary without characters, which falls back on bytes for all of them.

    Byte 0 is also what pads; only the six characters `<0x00>` in a row are read as it.
    """
    pad = {"content": "<0x00>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": 0, **pad, "special": True}],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {f"<0x{byte:02X}>": byte for byte in range(256)},
            "merges": [],
        },
    }
