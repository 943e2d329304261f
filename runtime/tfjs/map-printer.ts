/**
 * A map kernel as the text `defineMap` reads: the inverse of the parser, up to the order of independent
 * instructions. Values used more than once get a name; everything else is written in place.
 */

import type { Instruction, MapKernel, Operand } from "./kernel-set.js";

export interface MapText {
  readonly spec: string;
  readonly formula: string;
  readonly reduce: "sum" | "max" | null;
}

interface Infix {
  readonly sign: string;
  readonly level: number; // how tightly it binds
  readonly left: number; // level its left operand must have to go without parentheses
  readonly right: number;
}

const call = 5;
const prefix = 3;
const infixes: Readonly<Record<string, Infix>> = {
  add: { sign: " + ", level: 1, left: 1, right: 2 },
  sub: { sign: " - ", level: 1, left: 1, right: 2 },
  mul: { sign: " * ", level: 2, left: 2, right: 3 },
  div: { sign: " / ", level: 2, left: 2, right: 3 },
  pow: { sign: " ^ ", level: 4, left: 5, right: 3 },
};

interface Piece {
  readonly text: string;
  readonly level: number;
}

const wrap = (piece: Piece, level: number): string =>
  piece.level < level ? `(${piece.text})` : piece.text;

/** How often each value is read on the way to the last one, which alone is asked for. */
function usesOf(code: readonly Instruction[]): number[] {
  const uses = code.map((_, i) => Number(i === code.length - 1));
  for (const [i, { arguments: operands }] of [...code.entries()].reverse())
    if (uses[i]! > 0)
      for (const operand of operands) if (operand.kind === "value") uses[operand.index]!++;
  return uses;
}

/** `names` for the inputs; x0, x1, … when not given. */
export function showMap(kernel: MapKernel, names = kernel.inputs.map((_, i) => `x${i}`)): MapText {
  const uses = usesOf(kernel.code);
  const statements: string[] = [];
  const pieces: Piece[] = [];
  let last = 0;

  const freshName = (): string => {
    do last++;
    while (names.includes(`t${last}`));
    return `t${last}`;
  };
  const show = (operand: Operand): Piece => {
    switch (operand.kind) {
      case "input":
        return { text: names[operand.index]!, level: call };
      case "value":
        return pieces[operand.index]!;
      case "position":
        return { text: `position(${operand.letter})`, level: call };
      case "constant":
        return {
          text: String(operand.value),
          level: operand.value < 0 || Object.is(operand.value, -0) ? prefix : call,
        };
    }
  };
  const showInstruction = ({ fn, arguments: operands }: Instruction): Piece => {
    const infix = infixes[fn];
    if (infix) {
      const [a, b] = operands.map(show) as [Piece, Piece];
      return { text: wrap(a, infix.left) + infix.sign + wrap(b, infix.right), level: infix.level };
    }
    // -(2) would be read as the number −2, so neg of a constant stays a call.
    if (fn === "neg" && operands[0]!.kind !== "constant")
      return { text: `-${wrap(show(operands[0]!), prefix)}`, level: prefix };
    return {
      text: `${fn}(${operands.map((operand) => show(operand).text).join(", ")})`,
      level: call,
    };
  };

  kernel.code.forEach((instruction, i) => {
    const piece = showInstruction(instruction);
    if (uses[i]! < 2) {
      pieces.push(piece);
      return;
    }
    const name = freshName();
    statements.push(`${name} = ${piece.text};`);
    pieces.push({ text: name, level: call });
  });
  const inputs = kernel.inputs.map((letters, i) => `${names[i]}:${letters}`).join(", ");
  return {
    spec: `${inputs} -> ${kernel.output}`,
    formula: [...statements, pieces.at(-1)!.text].join(" "),
    reduce: kernel.reduce,
  };
}
