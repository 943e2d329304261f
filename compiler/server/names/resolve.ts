/** What a name stands for beyond its own declaration: layers, blocks, built-in functions, rows of the tables. */

import type { BlockDeclaration, Item, LayerDeclaration, Parameter } from "../../../grammar/ast.js";
import {
  type BlockDescription,
  type ChoiceDescription,
  type KeyDescription,
  describeBlocks,
} from "../../1-check/blocks/describe.js";
import { type Builtin, type BuiltinParameter } from "../../1-check/builtins/builtin.js";
import { builtins } from "../../1-check/builtins/index.js";
import type { Program } from "../program.js";
import type { Local, Target } from "./bind.js";
import { words } from "./binder.js";

export type Declared = Exclude<Item, { readonly kind: "use" | "error" }>;

export type Meaning =
  | { readonly kind: "local"; readonly local: Local }
  | { readonly kind: "declared"; readonly item: Declared }
  | { readonly kind: "builtin"; readonly name: string; readonly builtin: Builtin }
  | { readonly kind: "parameter"; readonly layer: LayerDeclaration; readonly parameter: Parameter }
  | {
      readonly kind: "builtin-parameter";
      readonly builtin: Builtin;
      readonly parameter: BuiltinParameter;
    }
  | { readonly kind: "key"; readonly key: KeyDescription }
  | { readonly kind: "choice"; readonly choice: ChoiceDescription }
  | { readonly kind: "word"; readonly name: string; readonly doc: string };

export function meaningOf(target: Target, program: Program): Meaning | null {
  switch (target.kind) {
    case "local":
      return target;
    case "global": {
      const item = declaredAs(target.name, program);
      if (item) return { kind: "declared", item };
      const builtin = builtins.get(target.name);
      return builtin ? { kind: "builtin", name: target.name, builtin } : null;
    }
    case "argument":
      return argumentMeaning(target.callee, target.name, program);
    case "setting":
      return settingMeaning(target.block, target.path);
    case "word": {
      const doc =
        target.name === "prev" ? "the state before this token's step" : words[target.name];
      return doc === undefined ? null : { kind: "word", name: target.name, doc };
    }
  }
}

/** The declaration of a name, of the program or of the library. */
export function declaredAs(name: string, program: Program): Declared | undefined {
  const { layers, models, blocks } = program.checked.declarations;
  return layers.get(name) ?? models.get(name) ?? blocks.find((block) => block.name.name === name);
}

function argumentMeaning(callee: string, name: string, program: Program): Meaning | null {
  const layer = program.checked.declarations.layers.get(callee);
  const parameter = layer?.parameters.find((each) => each.name.name === name);
  if (layer && parameter) return { kind: "parameter", layer, parameter };
  const builtin = layer ? undefined : builtins.get(callee);
  const own = builtin?.parameters.find((each) => each.name === name);
  return builtin && own ? { kind: "builtin-parameter", builtin, parameter: own } : null;
}

let described: readonly BlockDescription[] | undefined;

export function blockDescription(kind: BlockDeclaration["kind"]): BlockDescription {
  described ??= describeBlocks();
  return described.find((block) => block.kind === kind)!;
}

/** Follows a path of keys and choices through a block's tables. */
function settingMeaning(kind: BlockDeclaration["kind"], path: readonly string[]): Meaning | null {
  const { keys, words: devices } = blockDescription(kind);
  const device = path.length === 1 ? devices.find(({ word }) => word === path[0]) : undefined;
  if (device) return { kind: "choice", choice: device };
  let among: readonly KeyDescription[] = keys;
  let at: Meaning | null = null;
  for (const name of path) {
    const choices: readonly ChoiceDescription[] = at?.kind === "key" ? at.key.choices : [];
    const choice = choices.find(({ word }) => word === name);
    const key: KeyDescription | undefined = (at === null ? keys : among).find(
      (each) => each.key === name,
    );
    if (choice) {
      at = { kind: "choice", choice };
      among = choice.options;
    } else if (key) {
      at = { kind: "key", key };
      among = [];
    } else return null;
  }
  return at;
}
