/** Headers of layers and models as text, with the place of each parameter in it. */

import type { LayerDeclaration, ModelDeclaration } from "../../../grammar/ast.js";
import type { Builtin } from "../../1-check/builtins/builtin.js";
import type { KeyDescription } from "../../1-check/blocks/describe.js";
import type { Program } from "../program.js";

export interface Signature {
  readonly text: string;
  readonly parameters: readonly SignatureParameter[];
}

export interface SignatureParameter {
  readonly name: string;
  /** Where it stands in the text. */
  readonly place: readonly [number, number];
  readonly doc: string | null;
}

/** `GLA(x: [width], heads = 4)` */
export function layerSignature(
  { name, parameters }: LayerDeclaration | ModelDeclaration,
  program: Program,
): Signature {
  return signature(
    name.name,
    parameters.map((parameter) => ({
      name: parameter.name.name,
      text: program.sourceOf(parameter.span),
      doc: null,
    })),
  );
}

export function builtinSignature(name: string, { parameters }: Builtin): Signature {
  return signature(
    name,
    parameters.map(({ name: own, expected, optional }) => ({
      name: own,
      text: `${own}${optional ? "?" : ""}: ${expected.replace("?", "")}`,
      doc: null,
    })),
  );
}

/** Of a choice with options: `adamw(lr: N, …)`. */
export function optionsSignature(name: string, options: readonly KeyDescription[]): Signature {
  return signature(
    name,
    options.map(({ key, usage, doc, default: otherwise }) => ({
      name: key,
      text: otherwise === null ? usage : `${key}: ${otherwise}`,
      doc,
    })),
  );
}

function signature(
  name: string,
  parts: readonly { readonly name: string; readonly text: string; readonly doc: string | null }[],
): Signature {
  let text = `${name}(`;
  const parameters = parts.map(({ name: own, text: shown, doc }, i): SignatureParameter => {
    if (i > 0) text += ", ";
    const from = text.length;
    text += shown;
    return { name: own, place: [from, text.length], doc };
  });
  return { text: `${text})`, parameters };
}
