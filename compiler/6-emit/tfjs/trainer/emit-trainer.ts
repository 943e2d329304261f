/**
 * A model's trainer as one TypeScript file: its parameters, its elementwise kernels, a forward, a backward
 * and an evaluating function for every block, the model's own two, and the settings of its training.
 *
 * What the functions do is the scheduled program, step by step; see ../execute.ts, which does the same
 * without a file.
 */

import type { TrainSettings } from "../../../../runtime/tfjs/train/settings.js";
import type { Model } from "../../../1-check/model.js";
import type { ModelParameter, Program } from "../../../ir/program.js";
import type { SourceFile } from "./source.js";
import { TrainerFile } from "./trainer-file.js";

/** What a trainer is emitted from: a checked model, its compiled programs, and how it is trained. */
export interface TrainerInput {
  readonly model: Pick<Model, "name" | "doc" | "vocabulary" | "window">;
  readonly programs: TrainerPrograms;
  /** What the programs were compiled for. */
  readonly sizes: { readonly batch: number; readonly time: number };
  readonly settings: TrainSettings;
  /** The program's text, and its path from the trainer's folder. */
  readonly source: SourceFile;
  /** The folder that relative paths of the data start from, from the trainer's folder. */
  readonly data: string;
}

/** A part of `TrainingStages`. */
export interface TrainerPrograms {
  readonly parameters: readonly ModelParameter[];
  readonly gradients: Program;
  readonly evaluation: Program;
}

export interface EmittedFile {
  readonly path: string;
  readonly text: string;
}

/** The file `trainer.ts`. The same input gives the same text. */
export async function emitTrainer(input: TrainerInput): Promise<EmittedFile> {
  return { path: "trainer.ts", text: await new TrainerFile(input).print() };
}
