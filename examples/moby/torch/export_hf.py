"""Writes a checkpoint as a folder for Hugging Face's transformers: AutoModelForCausalLM, generate() and a tokenizer.

python export_hf.py runs/moby OUT
"""

from pathlib import Path

from lsm_torch.hf import main
from model import Moby

if __name__ == "__main__":
    main(Moby, Path(__file__).resolve().parent)
