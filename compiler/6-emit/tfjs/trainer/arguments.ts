/** Arguments of kernels as text. Sizes go by their letters, which are constants of the file. */

import type { Axis } from "../../../ir/types.js";
import type { CallArgument } from "../kernel-call.js";
import type { Letters } from "../letters.js";
import { literal, object } from "./text.js";

export class ArgumentText {
  /** Letters that some text uses as numbers. */
  readonly used = new Set<string>();

  constructor(private readonly letters: Letters) {}

  /** `given` are the expressions of the kernel's inputs. */
  of(argument: CallArgument, given: readonly string[]): string {
    switch (argument.kind) {
      case "tensor":
        return given[argument.index]!;
      case "tensors":
        return `[${given.join(", ")}]`;
      case "shape":
        return `[${argument.axes.map((axis) => this.axis(axis)).join(", ")}]`;
      case "value":
        return typeof argument.value === "object" && argument.value !== null
          ? this.sizes(argument.value)
          : literal(argument.value);
    }
  }

  /** `{ B, T }`: sizes by letter. */
  sizes(sizes: Readonly<Record<string, number>>): string {
    return object(
      Object.entries(sizes).map(([letter, size]) => [letter, this.size(letter, size)] as const),
    );
  }

  /** A letter, when its axis has that size in the whole file; a number otherwise. */
  size(letter: string, size: number): string {
    if (this.letters.legend().get(letter)?.size !== size) return String(size);
    this.used.add(letter);
    return letter;
  }

  private axis({ name, size }: Axis): string {
    for (const [letter, axis] of this.letters.legend())
      if (axis.name === name && axis.size === size) return this.size(letter, size);
    return String(size);
  }
}
