/** Signature help: the parameters of the call around the cursor. */

import type { Position, SignatureHelp } from "vscode-languageserver-types";
import { builtins } from "../../1-check/builtins/index.js";
import { isInput } from "../../1-check/elaborate/apply.js";
import { type Open, argumentAt, contextAt } from "../names/context.js";
import { blockDescription, declaredAs } from "../names/resolve.js";
import { visibleAt } from "../names/scope.js";
import {
  type Signature,
  builtinSignature,
  layerSignature,
  optionsSignature,
} from "../names/signature.js";
import type { Program } from "../program.js";

interface Found {
  readonly signature: Signature;
  readonly doc: string | null;
  /** Names in the order in which arguments without a name fill them. */
  readonly order: readonly string[];
}

export function signatureHelp(program: Program, position: Position): SignatureHelp | null {
  const offset = program.offsetAt(position);
  const { open } = contextAt(program.text, offset);
  const call = open.find(({ bracket, before }) => bracket === "(" && before !== null);
  if (!call || call.declaration !== null) return null;
  const found = signatureOf(call, open.at(-1)!, offset, program);
  if (!found) return null;
  const { name, index } = argumentAt(call);
  const wanted = name ?? found.order[index];
  const active = found.signature.parameters.findIndex((parameter) => parameter.name === wanted);
  return {
    signatures: [
      {
        label: found.signature.text,
        ...(found.doc ? { documentation: { kind: "markdown", value: found.doc } } : {}),
        parameters: found.signature.parameters.map(({ place, doc }) => ({
          label: [...place],
          ...(doc === null ? {} : { documentation: doc }),
        })),
      },
    ],
    activeSignature: 0,
    activeParameter: Math.max(0, active),
  };
}

function signatureOf(call: Open, outer: Open, offset: number, program: Program): Found | null {
  const callee = call.before!;
  const kind = outer.declaration;
  if (kind === "data" || kind === "train" || kind === "parallel" || kind === "convert") {
    for (const { choices } of blockDescription(kind).keys) {
      const choice = choices.find(({ word, options }) => word === callee && options.length > 0);
      if (!choice) continue;
      const signature = optionsSignature(callee, choice.options);
      return { signature, doc: choice.doc, order: choice.options.map(({ key }) => key) };
    }
  }
  const spot = program.spotNear(offset);
  const local = spot && visibleAt(spot.item, spot.offset).find(({ name }) => name === callee);
  const name = local ? local.recipe : callee;
  if (name === null) return null;
  const layer = declaredAs(name, program);
  if (layer?.kind === "layer") {
    const applied = appliesLayer(program.text, call);
    const order = layer.parameters.filter((each) => applied || !isInput(each));
    return {
      signature: layerSignature(layer, program),
      doc: layer.doc,
      order: order.map((each) => each.name.name),
    };
  }
  const builtin = builtins.get(name);
  if (!builtin) return null;
  const order = builtin.parameters.map((parameter) => parameter.name);
  return { signature: builtinSignature(name, builtin), doc: builtin.doc, order };
}

/** Whether a call could apply its layer: its first argument has no name, and is no number and no text. */
function appliesLayer(text: string, { at }: Open): boolean {
  return !/^\s*(?:[0-9")]|[A-Za-z_]\w*\s*:)/.test(text.slice(at + 1, at + 200));
}
