/** `lsm import`: a model of flash-linear-attention or transformers as a program of ours and a checkpoint. */

import { join } from "node:path";
import type { Tensor } from "../../../runtime/checkpoint/dtypes.js";
import type { TokenizerDescription } from "../../../runtime/data/tokenizer.js";
import { RunError } from "../../../runtime/run/errors.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { loadProgram } from "../programs.js";
import { say, type Session } from "../session.js";
import { version } from "../version.js";

export interface ImportOptions {
  readonly out: string;
  readonly tokenizer?: string;
}

export const addImport: AddCommand = (program, session, finish) => {
  program
    .command("import")
    .summary("take over a model of flash-linear-attention or transformers")
    .description(
      "Reads a model that flash-linear-attention or transformers saved (config.json and *.safetensors), and writes the program that it is here with its weights: a run's folder, to generate with and to train further. A model whose layers are not equal to ours is refused.",
    )
    .argument("<folder>", "the folder with config.json and *.safetensors")
    .requiredOption("--out <run>", "the run's folder to write")
    .option("--tokenizer <file>", "a tokenizer.json, where the folder has none")
    .addHelpText(
      "after",
      `
Examples:
  lsm import gla-1.3B --out runs/gla
  lsm generate runs/gla --prompt "The whale"
  lsm train runs/gla/model.lsm --out runs/gla --resume
  lsm build runs/gla/model.lsm --target torch --out project`,
    )
    .action(async (folder: string, options: ImportOptions) =>
      finish(await importModel(folder, options, session)),
    );
};

async function importModel(
  folder: string,
  { out, tokenizer: given }: ImportOptions,
  session: Session,
): Promise<ExitCode> {
  const { host } = session;
  const source = join(out, "model.lsm");
  if (host.exists(source))
    throw new UsageError(`${source} is there already`, "give another folder: --out runs/imported");
  const [{ Settings }, { foreignModel, ignored, parseConfig }, { programText }, { weightsFrom }] =
    await Promise.all([
      import("../../interchange/settings.js"),
      import("../../interchange/read.js"),
      import("../../interchange/program-text.js"),
      import("../../interchange/weights.js"),
    ]);
  const config = join(folder, "config.json");
  const settings = new Settings(parseConfig(host.readText(config), config), config);
  const tensors = await tensorsIn(folder, session);
  const { text, places } = foreignModel(settings, new Set(tensors.keys()));

  const tokenizer = tokenizerOf(folder, given, text.vocab, session);
  const bytes = tokenizer.kind === "bytes";
  const about = `Imported from ${folder} (\`${String(settings.get("model_type"))}\`).`;
  const longest = settings.get("max_position_embeddings");
  const seq = Math.min(2048, typeof longest === "number" ? longest : 2048);
  const { format } = await import("../../../grammar/format.js");
  const written = programText({ about, ...text }, bytes ? "bytes" : '"tokenizer.json"', seq);
  const program = (await format(written)).text;
  const readText: typeof host.readText = (asked) =>
    asked === source ? program : host.readText(asked);
  const checked = await loadProgram(session, source, { ...host, readText });
  if (checked === null) return Exit.mistakes;

  const { parameterSpecs } = await import("../parameters.js");
  const parameters = parameterSpecs(checked.models.get("Imported")!);
  const weights = weightsFrom(parameters, places, tensors, ignored, folder);
  host.writeText(source, program);
  if (!bytes) host.writeText(join(out, "tokenizer.json"), tokenizer.json);
  const { writeCheckpoint } = await import("../../../runtime/checkpoint/checkpoint.node.js");
  const { runFiles } = await import("../../../runtime/run/folder.node.js");
  const path = await writeCheckpoint(runFiles(out).checkpoints, {
    source: program,
    weights,
    optimizer: new Map(),
    model: "Imported",
    train: "further",
    step: 0,
    schedule: null,
    data: null,
    random: {},
    tokenizer,
    compiler: version,
    notes: { imported: String(settings.get("model_type")) },
  });
  say(session.out, `wrote ${source}`);
  say(session.out, `wrote ${path}`);
  say(session.out, `Try it: lsm generate ${out} --prompt "The "`);
  return Exit.ok;
}

/** The tensors of all parts of the model, by their names. */
async function tensorsIn(folder: string, { host }: Session): Promise<Map<string, Tensor>> {
  const files = host.list(folder).filter((name) => name.endsWith(".safetensors"));
  if (files.length === 0)
    throw new RunError({
      code: "import-without-tensors",
      what: "there is no *.safetensors in it",
      where: folder,
      help: "a pytorch_model.bin becomes one by `model.save_pretrained(folder, safe_serialization=True)` in Python",
    });
  const { readSafetensors } = await import("../../../runtime/checkpoint/safetensors.node.js");
  const all = new Map<string, Tensor>();
  for (const file of files)
    for (const [name, tensor] of (await readSafetensors(join(folder, file))).tensors)
      all.set(name, tensor);
  return all;
}

function tokenizerOf(
  folder: string,
  given: string | undefined,
  vocab: number,
  { host }: Session,
): TokenizerDescription {
  const own = join(folder, "tokenizer.json");
  const path = given ?? (host.exists(own) ? own : null);
  if (path !== null)
    return { kind: "tokenizer.json", name: "tokenizer.json", json: host.readText(path) };
  if (vocab === 256) return { kind: "bytes" };
  throw new RunError({
    code: "import-without-tokenizer",
    what: `there is no tokenizer.json in it, and ${vocab} ids are no bytes`,
    where: folder,
    help: "name one: --tokenizer tokenizer.json",
  });
}
