/** Binds the names in a `data`, `train`, `parallel` or `convert` block: keys, choices, and what it refers to. */

import type {
  Argument,
  BlockDeclaration,
  Expression,
  Identifier,
  Setting,
} from "../../../grammar/ast.js";
import type { Occurrence, Target } from "./bind.js";

/** Keys whose values are names of the program. */
const references: Readonly<Partial<Record<BlockDeclaration["kind"], readonly string[]>>> = {
  train: ["model", "data"],
  convert: ["replace"],
};

export function bindSettings(block: BlockDeclaration): Occurrence[] {
  const found: Occurrence[] = [];
  const { kind } = block;
  if (block.on) add(block.on.device, setting([block.on.device.name]));
  for (const each of block.settings) one(each);
  return found;

  function one({ key, value, modifiers }: Setting): void {
    add(key, setting([key.name]));
    const refers = references[kind]?.includes(key.name) ?? false;
    for (const part of [value, ...modifiers.map((modifier) => modifier.value)])
      if (part) valueOf(part, [key.name], refers);
  }

  function valueOf(value: Expression, path: readonly string[], refers: boolean): void {
    if (value.kind === "name") {
      const { name } = value;
      add(value, refers ? { kind: "global", name } : setting([...path, name]));
    } else if (value.kind === "call") {
      const { callee } = value;
      valueOf(callee, path, refers);
      const inner = [...path, callee.name];
      value.arguments.forEach((argument) => option(argument, inner, refers ? callee.name : null));
    } else if (value.kind === "pairs") {
      value.entries.forEach((entry) => option(entry, path, null));
    } else if (value.kind === "axes") {
      value.entries.forEach((entry) => valueOf(entry.value, path, false));
    }
  }

  /** Of a choice, or, with a layer, one of its parameters. */
  function option({ name, value }: Argument, path: readonly string[], layer: string | null): void {
    if (name && layer !== null) add(name, { kind: "argument", callee: layer, name: name.name });
    else if (name) add(name, setting([...path, name.name]));
    valueOf(value, name ? [...path, name.name] : path, false);
  }

  function setting(path: readonly string[]): Target {
    return { kind: "setting", block: kind, path };
  }

  function add({ name, span }: Identifier, target: Target): void {
    found.push({ name, span, target, defines: false });
  }
}
