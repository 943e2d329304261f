/** `lsm diff`: how two models differ. */

import type { Checked } from "../../1-check/check.js";
import type { Model } from "../../1-check/model.js";
import type { Comparison } from "../../compare.js";
import { positiveInteger } from "../arguments.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { chooseModel, loadProgram } from "../programs.js";
import { say, type Session } from "../session.js";
import { sizesFor } from "../sizes.js";

export interface DiffOptions {
  readonly tokens?: number;
  readonly json?: true;
}

export const addDiff: AddCommand = (program, session, finish) => {
  program
    .command("diff")
    .summary("tell how two models differ")
    .description(
      "Tells how two models differ: in parameters, FLOPs a token, state bytes, blocks, shapes and recurrences. Files with several models are compared by the models' names, or `FILE:MODEL` chooses one.",
    )
    .argument("<before>", "a program, or FILE:MODEL")
    .argument("<after>", "a program, or FILE:MODEL")
    .option(
      "--tokens <n>",
      "the length of the sequence that is counted (default: that of the first model's training)",
      positiveInteger,
    )
    .option("--json", "print the differences as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  lsm diff old.lsm new.lsm\n  lsm diff model.lsm:Small model.lsm:Large --json",
    )
    .action(async (before: string, after: string, options: DiffOptions) =>
      finish(await diff([before, after], options, session)),
    );
};

interface Side {
  readonly file: string;
  readonly model: string | undefined;
}

async function diff(
  given: readonly [string, string],
  { tokens, json }: DiffOptions,
  session: Session,
): Promise<ExitCode> {
  const sides = given.map((argument) => sideOf(argument, session)) as [Side, Side];
  const checked: Checked[] = [];
  for (const file of new Set(sides.map((side) => side.file))) {
    const program = await loadProgram(session, file);
    if (program === null) return Exit.mistakes;
    checked.push(program);
  }
  const [before, after] = [checked[0]!, checked.at(-1)!];
  const { pairs, alone } = pairsOf(sides, before, after);
  const { compare } = await import("../../compare.js");
  const comparisons = pairs.map(([a, b]) => compare(a, b, tokens ?? sizesFor(before, a).time));
  if (json) say(session.out, JSON.stringify({ models: comparisons, ...alone }, null, 2));
  else await show(comparisons, alone, [before.path, after.path], session);
  return Exit.ok;
}

/** `model.lsm`, or `model.lsm:Small` where there is no file of that whole name. */
function sideOf(argument: string, { host }: Session): Side {
  const [, file, model] = /^(.+):([A-Za-z_]\w*)$/.exec(argument) ?? [];
  if (file === undefined || host.exists(argument)) return { file: argument, model: undefined };
  return { file, model };
}

interface Alone {
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

/** What is compared with what: the chosen models, the only ones, or those of equal names. */
function pairsOf(
  [first, second]: readonly [Side, Side],
  before: Checked,
  after: Checked,
): { readonly pairs: readonly (readonly [Model, Model])[]; readonly alone: Alone } {
  const none: Alone = { onlyBefore: [], onlyAfter: [] };
  const single = ({ model }: Side, { models }: Checked): boolean =>
    model !== undefined || models.size === 1;
  if (single(first, before) && single(second, after))
    return {
      pairs: [[chooseModel(before, first.model), chooseModel(after, second.model)]],
      alone: none,
    };
  const names = (side: Side, { models }: Checked): string[] =>
    side.model === undefined ? [...models.keys()] : [side.model];
  const [ours, theirs] = [names(first, before), names(second, after)];
  const common = ours.filter((name) => theirs.includes(name));
  if (common.length === 0)
    throw new UsageError(
      `${before.path} and ${after.path} have no model of the same name`,
      `choose two: lsm diff ${before.path}:${ours[0] ?? "MODEL"} ${after.path}:${theirs[0] ?? "MODEL"}`,
    );
  return {
    pairs: common.map((name) => [chooseModel(before, name), chooseModel(after, name)]),
    alone: {
      onlyBefore: ours.filter((name) => !theirs.includes(name)),
      onlyAfter: theirs.filter((name) => !ours.includes(name)),
    },
  };
}

async function show(
  comparisons: readonly Comparison[],
  { onlyBefore, onlyAfter }: Alone,
  files: readonly [string, string],
  session: Session,
): Promise<void> {
  const { diffText } = await import("../diff-text.js");
  const only = (names: readonly string[], file: string): string[] =>
    names.map((name) => `${name} is in ${file} only\n`);
  const texts = comparisons.map((comparison) => diffText(comparison, files));
  const rest = [...only(onlyBefore, files[0]), ...only(onlyAfter, files[1])];
  session.out.write([...texts, ...(rest.length > 0 ? [rest.join("")] : [])].join("\n"));
}
