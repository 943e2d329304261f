/** From a file's name to the checked program in it, and to the model or the training that is meant. */

import type { Checked } from "../1-check/check.js";
import type { Model } from "../1-check/model.js";
import type { Host } from "../host.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { UsageError } from "./exit.js";
import { showDiagnostics, type Session } from "./session.js";

/** Checks a program; null when it has mistakes, which are then shown. */
export async function loadProgram(
  session: Session,
  path: string,
  host: Host = session.host,
): Promise<Checked | null> {
  session.subject = path;
  const { check } = await import("../1-check/check.js");
  const checked = check(host, path);
  showDiagnostics(session, checked.diagnostics, (source) => checked.sources.get(source) ?? null);
  return checked.diagnostics.some(({ severity }) => severity === "error") ? null : checked;
}

/** The model of that name, or the only one: in the file itself, or else in the files it uses. */
export function chooseModel({ models, ownModels, path }: Checked, name: string | undefined): Model {
  const [only, ...others] = [...ownModels].filter((own) => models.has(own));
  return choose("model", models, path, name ?? (others.length === 0 ? only : undefined));
}

/** The training of that name, or the only one. */
export function chooseTraining(
  { trainings }: Pick<Checked, "trainings">,
  path: string,
  name: string | undefined,
) {
  const none = "add a `data` and a `train` block: `lsm init` writes some";
  return choose("train", trainings, path, name, none);
}

/** The one of that name, or the only one there is; `none` says what to do where there is none at all. */
export function choose<T>(
  kind: string,
  among: ReadonlyMap<string, T>,
  path: string,
  name: string | undefined,
  none: string | null = null,
): T {
  const names = [...among.keys()];
  const listed = names.map((one) => `\`${one}\``).join(", ");
  if (name !== undefined) {
    const found = among.get(name);
    if (found !== undefined) return found;
    const help = didYouMean(name, names) ?? (names.length > 0 ? `there are ${listed}` : null);
    throw new UsageError(`${path} has no ${kind} \`${name}\``, help);
  }
  if (names.length === 0) throw new UsageError(`${path} has no ${kind}`, none);
  if (names.length > 1)
    throw new UsageError(`${path} has several: ${listed}`, `choose one: --${kind} ${names[0]!}`);
  return among.get(names[0]!)!;
}
