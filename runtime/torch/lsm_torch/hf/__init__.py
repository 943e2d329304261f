"""Models as folders that Hugging Face's transformers loads, with the recurrent state in generate()."""

from .export import export, main

__all__ = ["export", "main"]
