/** The files of a PyTorch project: the model, a thin train.py, and what the trainer must know, as JSON. */

import type { OptimizerSettings } from "../../../runtime/tfjs/train/settings.js";
import type { Model } from "../../1-check/model.js";
import type { ModelParameter } from "../../ir/program.js";
import { modelFile } from "./model-file.js";

export interface ProjectInput {
  readonly model: Pick<Model, "name" | "doc" | "module" | "parts" | "vocabulary" | "window">;
  /** The settings of the run, as the tfjs trainer has them. */
  readonly settings: { readonly name: string; readonly optimizer: OptimizerSettings };
  readonly batch: number;
  readonly precision: string;
  /** The program's file in the project, and where the data's paths start, from there. */
  readonly source: string;
  readonly data: string;
  readonly compiler: string;
}

export interface ProjectFile {
  readonly name: string;
  readonly text: string;
}

export function torchProject(input: ProjectInput): readonly ProjectFile[] {
  const { model, settings, batch, precision, source, data, compiler } = input;
  const { text, className, parameters, activated } = modelFile(model, source);
  const writesText = model.vocabulary !== undefined && model.vocabulary !== null;
  const config = {
    model: model.name,
    vocabulary: model.vocabulary ?? 0,
    activated,
    train: settings,
    batch,
    precision,
    source,
    data,
    compiler,
  };
  return [
    { name: "model.py", text },
    { name: "kernels.py", text: kernelsFile(className) },
    { name: "train.py", text: trainFile(className, settings.name) },
    ...(writesText ? [{ name: "export_hf.py", text: exportFile(className, settings.name) }] : []),
    { name: "config.json", text: `${JSON.stringify(config, null, 2)}\n` },
    { name: "parameters.json", text: parameterList(parameters, settings.optimizer) },
    { name: "pyproject.toml", text: pyproject(model.name, compiler) },
    { name: "README.md", text: readme(model.name, source, settings.name, writesText) },
  ];
}

const trainFile = (
  className: string,
  training: string,
): string => `"""Trains ${className}; --help lists all flags.

python train.py                              on a GPU or the CPU, into runs/${training}
torchrun --nproc-per-node 8 train.py         on several GPUs
python train.py --resume                     goes on from the newest checkpoint
"""

from pathlib import Path

from lsm_torch.train import main
from model import ${className}

if __name__ == "__main__":
    main(${className}, Path(__file__).resolve().parent)
`;

const kernelsFile = (
  className: string,
): string => `"""What the recurrences of ${className} run as: Triton kernels on a GPU, plain torch elsewhere.

python kernels.py     each kind: its chunks and tiles here, its error against the reference, its time

The kernels themselves are the same for every model and lie in lsm_torch/kernels; which parts of them are compiled, and for
which shapes, follows from the operands that model.py gives them. Nothing is tuned at run time.
"""

from pathlib import Path

from lsm_torch.train.kernels import main
from model import ${className}

if __name__ == "__main__":
    main(${className}, Path(__file__).resolve().parent)
`;

const exportFile = (
  className: string,
  training: string,
): string => `"""Writes a checkpoint as a folder for Hugging Face's transformers: AutoModelForCausalLM, generate() and a tokenizer.

python export_hf.py runs/${training} OUT
"""

from pathlib import Path

from lsm_torch.hf import main
from model import ${className}

if __name__ == "__main__":
    main(${className}, Path(__file__).resolve().parent)
`;

/** What it needs, and how its Python is formatted; the runtime has wider lines. */
const pyproject = (model: string, compiler: string): string => `[project]
name = "${model.replace(/_/g, "-").toLowerCase()}"
version = "0"
description = "${model}, written by lsm ${compiler}"
requires-python = ">=3.10"
dependencies = ["torch>=2.9", "numpy"]

[project.optional-dependencies]
data = ["tokenizers", "pyarrow"] # tokenizer.json, .parquet
logs = ["tensorboard", "wandb"]
export = ["transformers>=5"]

[tool.setuptools]
py-modules = [] # a folder to train in, not a package: \`pip install .\` installs what it needs

[tool.ruff]
line-length = 100
extend-exclude = ["lsm_torch"]

[tool.ruff.lint.isort]
known-first-party = ["lsm_torch", "model"]
`;

/** One parameter a line; `matrix` where Muon trains it: how its axes are those of matrices. */
function parameterList(parameters: readonly ModelParameter[], { muon }: OptimizerSettings): string {
  const entries = parameters.map(({ path, type, initializer, trainable, decay, matrix }) => {
    const axes = type.axes.map(({ name, size }) => ({ name, size }));
    const by = muon && trainable && matrix ? { matrix } : {};
    return JSON.stringify({ path, axes, initializer, trainable, decay, ...by });
  });
  return `[\n${entries.join(",\n")}\n]\n`;
}

const readme = (
  model: string,
  source: string,
  training: string,
  writesText: boolean,
): string => `# ${model} in PyTorch

Written by \`lsm build --target torch\` from \`${source}\`, train block \`${training}\`. It needs Python 3.10 or newer with
torch 2.9 or newer and numpy; on a GPU also triton, which torch brings along.

\`\`\`sh
python train.py                            # into a new folder, runs/${training}; --out DIR for another
torchrun --nproc-per-node 8 train.py       # on several GPUs: the same losses, but for routers, which balance each part; --shard parts the weights (FSDP2)
python train.py --resume                   # goes on exactly where the newest checkpoint was written, on any number of ranks
python train.py --check                    # first compares the kernels with their reference on this device
python train.py --data FILE… --tokenizer tokenizer.json   # learns from these instead
python train.py --help                     # all flags: memory (--moments, --recompute, --accumulate), --precision, --compile, --samples, --wandb, …
\`\`\`

| file | what it is |
| --- | --- |
| \`model.py\` | the model: a class for each layer, tensors named by their axes |
| \`train.py\` | the command line |
| \`kernels.py\` | tells what the recurrences run as on this device, how right they are there, and how long they take |
${writesText ? "| `export_hf.py` | writes a checkpoint as a folder for transformers: `python export_hf.py runs/" + training + " OUT` |\n" : ""}| \`config.json\`, \`parameters.json\` | the training's settings; every parameter with its shape and how it starts |
| \`${source}\` | the program, in one file; checkpoints carry it |
| \`lsm_torch/\` | the runtime: layers, the recurrences and their kernels, data, trainer |

A run's folder has the program (\`model.lsm\`), \`config.json\`, \`metrics.jsonl\`, \`loss.svg\`, checkpoints, TensorBoard's events where that is
installed, and \`samples.jsonl\` of a model that writes text, or \`forecast.svg\`; \`lsm ui\` draws it while the run goes on. Nothing is sent anywhere but
with \`--wandb\`. What \`--data\` takes: text, \`.jsonl\` (a document a line in the field \`text\`), \`.parquet\` (column \`text\`; needs pyarrow), nanoGPT's
and llm.c's \`.bin\` (uint16; \`--eot ID\` parts it into documents), Megatron's \`.bin\` with its \`.idx\` beside it, or one \`.csv\` for a series.

The weights of a model made by \`${model}()\` are not set: \`train.py\` draws them as \`parameters.json\` says, and
\`lsm_torch.train.resume.fill\` does that for a loop of your own, or takes them from a checkpoint.

Checkpoints are lsm's own on every target: \`lsm generate\` and \`lsm evaluate\` read them, and \`lsm import\` makes them of
models of flash-linear-attention; such a run's folder goes on here with \`--out DIR --resume\`.
`;
