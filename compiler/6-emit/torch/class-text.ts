/** Headers, documentation and names of the classes of model.py. */

import type { ValueId } from "../../ir/graph.js";
import type { Letters } from "./letters.js";
import type { Region } from "./regions.js";
import type { GraphView } from "./steps.js";
import { wrapped } from "./text.js";

export function signature(
  name: string,
  args: readonly string[],
  returns: string,
  cached = false,
): string[] {
  const own = args.map((arg) => `${arg}: Tensor`);
  const typed = cached ? [...own, "cache: Cache | None = None"] : own;
  const one = `    def ${name}(${["self", ...typed].join(", ")}) -> ${returns}:`;
  if (one.length <= 100) return [one];
  return [
    `    def ${name}(`,
    "        self,",
    ...typed.map((arg) => `        ${arg},`),
    `    ) -> ${returns}:`,
  ];
}

export function docstring(doc: readonly string[]): string[] {
  const text = doc
    .map((line) => line.trim())
    .join("\n")
    .trim()
    .replaceAll("\\", "\\\\")
    .replaceAll('"""', "'''");
  const lines = wrapped(text, 94).map((line) => (line === "" ? "" : `    ${line}`));
  lines[0] = `    r"""${lines[0]!.trim()}`;
  if (lines.length === 1) return [`${lines[0]!}"""`];
  return [...lines, '    """'];
}

/** What a layer's inputs are called: as its header says, where it takes as many. */
export function inputNames(
  { graph, parameterPath }: GraphView,
  { layer, inputs }: Region,
): string[] {
  const declared = layer!.application.layer.parameters
    .filter(({ annotation, default: value }) => annotation !== null && value === null)
    .map(({ name }) => name.name);
  const isPort = (id: ValueId): boolean => graph.inputs.some(({ value }) => value === id);
  const own = inputs.filter(
    (id) => !isPort(id) && graph.values[id]!.type.dtype === "float" && parameterPath(id) === null,
  );
  return inputs.map((id) => {
    const { name, type } = graph.values[id]!;
    const at = own.indexOf(id);
    if (at >= 0 && own.length <= declared.length) return declared[at]!;
    if (type.dtype === "int") return name ?? "ids";
    return (name ?? graph.inputs.find((port) => port.value === id)?.name ?? "x").split(".").pop()!;
  });
}

/** `low_rank` as LowRank; what has capitals already stays. */
export function pascal(name: string): string {
  return name
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** `B, T = …` where the lines of a function read them. */
export function sizes(
  lines: readonly string[],
  args: readonly string[],
  { time }: Letters,
): string[] {
  const used = new Set(lines.join("\n").match(time ? /\b[BT]\b/g : /\bB\b/g) ?? []);
  if (used.size === 0) return [];
  const source = args.find((name) => /_BT/.test(name)) ?? args[0]!;
  const one = [...used][0]!;
  return [
    used.size === 2
      ? `        B, T = ${source}.shape[:2]`
      : `        ${one} = ${source}.shape[${one === "B" ? 0 : 1}]`,
  ];
}
