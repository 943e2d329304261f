/** A scan kernel as the options of `KernelSet.scan`. */

import type { ScanOptions } from "../../../runtime/tfjs/kernel-set.js";
import type { BufferId, Operand, ScanKernel } from "../../ir/program.js";
import { axisNames, findAxis } from "../../ir/types.js";
import type { Letters } from "./letters.js";

/** A scan's options for the runtime (flags still missing), and where its inputs part. */
export function scanOptions(
  { attributes, body }: ScanKernel,
  inputs: readonly Operand[],
  outputs: readonly (Operand | null)[],
  allLetters: Letters,
): {
  readonly options: Omit<ScanOptions, "resets"> & {
    readonly resets: { readonly letters: string; readonly restart: readonly number[] } | null;
  };
  readonly split: { readonly sequences: number; readonly statics: number };
} {
  const { states, sequences, resets, restart, reverse } = attributes;
  const letters = allLetters.covering([
    ...inputs.map(({ type }) => type),
    ...body.buffers.map(({ type }) => type),
  ]);
  const first = states + (resets ? 1 : 0);
  const split = { sequences: first, statics: first + sequences };
  const along = inputs
    .slice(states, split.statics)
    .find(({ type }) => axisNames(type).includes(attributes.axis))!;
  const axis = findAxis(along.type, attributes.axis)!;
  const typeOf = (buffer: BufferId) => body.buffers[buffer]!.type;
  const bodyOutputs = body.outputs.slice(states).map(({ buffer }) => {
    const { axes } = typeOf(buffer);
    const at = axes.findIndex(({ name }) => name === "batch") + 1;
    return letters.all({ dtype: "float", axes: [...axes.slice(0, at), axis, ...axes.slice(at)] });
  });
  const wanted = outputs.map((output) => output !== null);
  const count = bodyOutputs.length;
  return {
    split,
    options: {
      axis: letters.of(axis),
      length: axis.size,
      sequences: inputs.slice(split.sequences, split.statics).map(({ type }) => letters.all(type)),
      outputs: bodyOutputs,
      states: body.outputs.slice(0, states).map(({ buffer }) => letters.all(typeOf(buffer))),
      reverse,
      resets: resets ? { letters: letters.all(inputs[states]!.type), restart } : null,
      wanted: {
        outputs: wanted.slice(0, count),
        finals: wanted.slice(count, count + states),
        befores: wanted.slice(count + states),
      },
    },
  };
}
