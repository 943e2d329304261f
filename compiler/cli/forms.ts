/** Flags for how recurrences run, where the compiler is not to choose. */

import { Option } from "commander";
import type { FormOptions } from "../3-derive/forms/forms.js";
import { positiveInteger, type Target } from "./arguments.js";
import { UsageError } from "./exit.js";

export interface FormFlags {
  readonly form?: FormOptions["prefer"];
  /** Tokens of a chunk. */
  readonly chunk?: number;
}

export function formOption(): Option {
  const forms: FormOptions["prefer"][] = ["chunk", "recurrent"];
  return new Option(
    "--form <form>",
    "how recurrences run: in chunks where they can, or token by token",
  ).choices(forms);
}

export function chunkOption(): Option {
  return new Option(
    "--chunk <n>",
    "tokens of a chunk (default: chosen for each recurrence)",
  ).argParser(positiveInteger);
}

/** What the flags ask for; the results are the same but for rounding. */
export function formsOf({ form, chunk }: FormFlags, target: Target = "tfjs"): FormOptions {
  if (target === "torch" && (form ?? chunk) !== undefined)
    throw new UsageError(
      "on PyTorch the kernels choose how recurrences run, by their shapes",
      "leave out --form and --chunk",
    );
  if (form === "recurrent" && chunk !== undefined)
    throw new UsageError("token by token there are no chunks", "leave out --form or --chunk");
  return { prefer: form ?? "chunk", chunk: chunk ?? null };
}
