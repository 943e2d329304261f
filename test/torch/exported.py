"""A folder that export_hf.py wrote, as transformers loads it: one JSON line of what it computes.

python test/torch/exported.py FOLDER     HF_MODULES_CACHE says where transformers may copy the model's code to
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = ("Call me Ishmael", "The whalé", "A")
NEW = 12


def relative(x: torch.Tensor, y: torch.Tensor) -> float:
    return float((x - y).norm() / y.norm())


@torch.no_grad()
def main(folder: str) -> dict[str, Any]:
    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    alone = [tokenizer(text, return_tensors="pt") for text in PROMPTS]
    batch = tokenizer(list(PROMPTS), return_tensors="pt", padding=True)
    logits = [model(**one).logits[0] for one in alone]
    padded = model(**batch).logits
    lengths = [one.shape[0] for one in logits]
    greedy = {"max_new_tokens": NEW, "do_sample": False}
    texts = [model.generate(**one, **greedy)[0, n:] for one, n in zip(alone, lengths, strict=True)]
    without = [model.generate(**one, **greedy, use_cache=False)[0, n:] for one, n in zip(alone, lengths, strict=True)]
    together = model.generate(**batch, **greedy)[:, batch["input_ids"].shape[1] :]
    # beams are chosen by the same scores whether the state is carried or computed again
    beams = [model.generate(**batch, **greedy, num_beams=3, use_cache=cached) for cached in (True, False)]
    half = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True, dtype=torch.bfloat16)
    ids = batch["input_ids"][:1]
    loss = model(input_ids=ids, labels=ids).loss
    expected = torch.nn.functional.cross_entropy(logits[0][:-1], ids[0, 1:])
    # as lm_eval measures: rows filled up behind their texts, without a mask; and its token before a text
    ids = [one["input_ids"][0] for one in alone]
    rows = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=tokenizer.eos_token_id)
    filled = model(rows).logits
    model.save_pretrained(f"{folder}-again")
    tokenizer.save_pretrained(f"{folder}-again")
    again = AutoModelForCausalLM.from_pretrained(f"{folder}-again", trust_remote_code=True)
    text = "Ā ünï <0x41> 日本 \x00\r\n\t x"
    encoded = tokenizer(text)["input_ids"]
    return {
        "prompts": [one["input_ids"][0].tolist() for one in alone],
        "logits": [one.tolist() for one in logits],
        "padding": max(relative(padded[i, -n:], logits[i]) for i, n in enumerate(lengths)),
        "filled": max(relative(filled[i, :n], logits[i]) for i, n in enumerate(lengths)),
        "again": torch.equal(again(rows).logits, filled),
        "end": tokenizer.eos_token_id,
        "texts": [one.tolist() for one in texts],
        "cached": all(map(torch.equal, texts, without)),
        "together": all(map(torch.equal, texts, together)),
        "beams": torch.equal(*beams),
        "half": relative(half(**alone[0]).logits[0].float(), logits[0]),
        "loss": float((loss - expected).abs()),
        "bytes": bytes(encoded) == text.encode() and tokenizer.decode(encoded) == text,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(main(sys.argv[1])))
