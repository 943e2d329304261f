/** Each feature of the language server, on small programs with a cursor in them. */

import { describe, expect, test } from "vitest";
import type { Hover, Range } from "vscode-languageserver-types";
import { codeActions } from "../../compiler/server/features/code-actions.js";
import { completion } from "../../compiler/server/features/completion/completion.js";
import { definition } from "../../compiler/server/features/definition.js";
import { diagnostics } from "../../compiler/server/features/diagnostics.js";
import { documentSymbols } from "../../compiler/server/features/document-symbols.js";
import { foldingRanges } from "../../compiler/server/features/folding.js";
import { formatting } from "../../compiler/server/features/formatting.js";
import { hover } from "../../compiler/server/features/hover.js";
import { inlayHints } from "../../compiler/server/features/inlay-hints.js";
import { highlights, references } from "../../compiler/server/features/references.js";
import { prepareRename, rename } from "../../compiler/server/features/rename.js";
import { selectionRange } from "../../compiler/server/features/selection-ranges.js";
import { semanticTokens, tokenTypes } from "../../compiler/server/features/semantic-tokens.js";
import { signatureHelp } from "../../compiler/server/features/signature-help.js";
import { Workspace } from "../../compiler/server/workspace.js";
import { memoryHost } from "../support/memory-host.js";
import { open, uris } from "../support/server/editor.js";

const everything: Range = { start: { line: 0, character: 0 }, end: { line: 999, character: 0 } };

const layer = (body: string): string =>
  `/// Fades.\nlayer Fade(x: [width], heads = 4, key = width / heads) {\n${body}\n}\n`;
const fade = layer(
  "  k = linear(x, [heads, key])\n  state S: [heads, key]\n  S <- 0.9 * S + k\n  linear(S, [width])",
);
const model = `model Tiny {\n  L = Block(Fade(heads: 2), MoE(experts: 2, top_k: 1, hidden: 8))\n  language_model(vocab: 256, width: 64, blocks: [L] * 2)\n}\n`;
const blocks = `data book {\n  text "a.txt"\n  seq 64\n}\ntrain run {\n  model Tiny\n  data book\n  optimizer adamw(lr: 1e-3)\n  batch 2\n  steps 10\n}\n`;

const labels = (marked: string): string[] => {
  const { program, at } = open(marked);
  return completion(program, at).map(({ label }) => label);
};
const hovered = (marked: string): string => {
  const { program, at } = open(marked);
  const found: Hover | null = hover(program, at);
  return found ? (found.contents as { value: string }).value : "";
};

describe("diagnostics", () => {
  test("say what, where, and every other place", () => {
    const { program } = open(layer("  a = linear(x, [heads])\n  dot(a, x, width)"));
    const [found, ...others] = diagnostics(program).get("a.lsm")!;
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      code: "axis-mismatch",
      range: { start: { line: 3, character: 6 }, end: { line: 3, character: 7 } },
    });
    expect(found!.message).toContain("help: ");
    expect(found!.relatedInformation![0]!.location.range.start.line).toBe(2);
  });

  test("of a used file belong to that file", () => {
    const { program } = open('use "b.lsm"\n', { "b.lsm": "layer B(x: [width]) { y }\n" });
    const found = diagnostics(program);
    expect(found.get("a.lsm")).toEqual([]);
    expect(open('use "c.lsm"\n').program.checked.diagnostics[0]!.code).toBe("file-not-found");
  });
});

describe("recurrences that a mesh cannot cut", () => {
  const odd = `layer Odd(x: [width]) {\n  state S: [width]\n  S <- tanh(S + x)\n  S\n}
model M { language_model(vocab: 64, width: 32, blocks: [Odd()]) }
parallel pod on h100 * 2 {\n  mesh { cp: 2 }\n  sequence over cp\n}\n`;
  const workspace = new Workspace(memoryHost({ "a.lsm": odd }), uris);
  const shown = () => diagnostics(workspace.program("a.lsm")!).get("a.lsm")!;

  test("are shown where the state is, and follow it through edits", () => {
    const [found] = shown();
    expect(found).toMatchObject({ code: "no-sequence-form", range: { start: { line: 1 } } });
    expect(found!.relatedInformation![0]!.location.range.start.line).toBe(8);
    workspace.open("file:a.lsm", 1, `// A comment.\n${odd}`);
    const [later] = shown();
    expect(later!.range.start.line).toBe(2);
    expect(later!.relatedInformation![0]!.location.range.start.line).toBe(9);
    workspace.open("file:a.lsm", 2, odd.replace("tanh(S + x)", "S + x"));
    expect(shown()).toEqual([]);
  });
});

describe("hover", () => {
  test("shows the axes that a name has where the cursor is", () => {
    expect(hovered(fade.replace("+ k", "+ ‸k"))).toContain("k: [heads 4, key width / 4]");
    expect(hovered(fade.replace("  k =", "  ‸k ="))).toContain("k: [heads 4, key width / 4]");
    expect(hovered(fade.replace("x: [width]", "x: [wi‸dth]"))).toContain("width");
    expect(hovered(fade.replace("linear(S", "linear(‸S"))).toContain("[heads 4, key width / 4]");
  });

  test("shows family, documentation and cost", () => {
    expect(hovered(fade.replace("state S", "state ‸S"))).toContain("family F1: scalar gate");
    const used = hovered(fade + model.replace("Fade(", "Fa‸de("));
    expect(used).toContain("Fades.");
    expect(used).toMatch(/In `Tiny`: 8.19K parameters · 256 B of state/);
    expect(hovered(fade + model.replace("Tiny", "Ti‸ny"))).toMatch(/FLOPs a token/);
  });

  test("shows functions, arguments, keys and words", () => {
    expect(hovered(layer("  so‸ftplus(x)"))).toContain("softplus");
    expect(hovered(fade + model.replace("heads: 2", "he‸ads: 2"))).toContain("heads = 4");
    expect(hovered(blocks.replace("seq", "s‸eq"))).toContain("tokens in one sequence");
    expect(hovered(blocks.replace("lr:", "l‸r:"))).toContain("the peak learning rate");
    expect(hovered(blocks.replace("adamw", "ad‸amw"))).toContain("Loshchilov");
    expect(hovered(blocks.replace("adamw", "mu‸on"))).toContain("Jordan");
    expect(hovered(layer("  if tr‸ue { x } else { x }"))).toContain("truth");
  });

  test("shows any expression, and nothing in empty places", () => {
    expect(hovered(layer("  linear(x, [heads]) ‸* 2"))).toContain("[heads 4]");
    expect(hovered("‸\n\nlayer A(x: [width]) { x }\n")).toBe("");
  });
});

describe("completion", () => {
  test("offers names in scope before layers and functions", () => {
    const found = labels(layer("  k = x\n  q‸"));
    expect(found.indexOf("k")).toBeLessThan(found.indexOf("GLA"));
    expect(found).toEqual(expect.arrayContaining(["k", "heads", "GLA", "dot", "state", "mix"]));
    expect(labels(layer("  ‸\n  k = x"))).not.toContain("k");
  });

  test("offers arguments that are not given yet", () => {
    const found = labels(layer("  GLA(x, heads: 4, ‸)"));
    expect(found.slice(0, 3)).toEqual(["x", "key", "value"]);
    expect(found).not.toContain("bias: ");
    expect(labels(layer("  GLA(x, heads: ‸)"))).not.toContain("rank");
    expect(labels(layer("  linear(x, [‸])")).slice(0, 3)).toEqual(["key", "heads", "width"]);
    expect(labels(layer("  state S: [heads]\n  S.‸"))).toEqual(["prev"]);
  });

  test("offers kinds, axes and values in headers", () => {
    expect(labels("layer A(‸")).toEqual([]);
    expect(labels("layer A(x: [width], n‸")).toEqual([]);
    expect(labels("layer A(x: [width], n: ‸")).toEqual(
      expect.arrayContaining(["layer", "layers", "axes", "number", "bool"]),
    );
    const defaults = labels("layer A(x: [width], heads = 4, key = ‸) {\n  x\n}\n");
    expect(defaults.slice(0, 2)).toEqual(["heads", "width"]);
    expect(labels("layer A(x: [width], y: [wi‸]) {\n  x\n}\n")[0]).toBe("width");
    expect(labels("model M(blocks: la‸) {\n}\n")).toContain("layers");
  });

  test("offers files where a text names one, in place of what is written of the last part", () => {
    const files = { "b.lsm": "", "sub/c.lsm": "", "sub/d.txt": "", "x.csv": "", "t.json": "" };
    const offered = (marked: string): string[] => {
      const { program, at } = open(marked, files);
      return completion(program, at).map(({ label }) => label);
    };
    expect(offered('use "‸"')).toEqual(["b.lsm", "sub/"]);
    expect(offered('use "‸')).toEqual(["b.lsm", "sub/"]); // the quote is not there yet
    expect(offered('use "sub/‸"')).toEqual(["c.lsm"]);
    expect(offered('use "nowhere/‸"')).toEqual([]);
    expect(offered('data d {\n  text "sub/‸"\n}\n')).toEqual(["d.txt"]);
    expect(offered('data d {\n  csv "‸"\n}\n')).toEqual(["sub/", "x.csv"]);
    expect(offered('data d {\n  tokenizer "‸"\n}\n')).toEqual(["sub/", "t.json"]);
    expect(offered('data d {\n  text "npm:‸"\n}\n')).toEqual([]);
    const { program, at } = open('use "sub/c.l‸"', files);
    expect(completion(program, at)[0]!.textEdit).toEqual({
      range: { start: { line: 0, character: 9 }, end: { line: 0, character: 12 } },
      newText: "c.lsm",
    });
  });

  test("keeps to braces", () => {
    expect(labels(layer("  if true { branch = x } else { x }\n  ‸"))).not.toContain("branch");
    expect(labels(layer("  if true { branch = x\n ‸ } else { x }"))).toContain("branch");
  });

  test("offers keys, choices, options and names in blocks", () => {
    expect(labels(blocks.replace("seq 64", "‸"))).toEqual(
      expect.arrayContaining(["seq", "pack", "tokenizer"]),
    );
    expect(labels(blocks.replace("seq 64", "‸"))).not.toContain("batch");
    expect(labels(fade + model + blocks.replace("model Tiny", "model ‸"))).toEqual(["Tiny"]);
    expect(labels(blocks.replace("data book\n  opt", "data ‸\n  opt"))).toEqual(["book"]);
    expect(labels(blocks.replace("lr: 1e-3", "lr: 1e-3, ‸"))).toEqual([
      "betas",
      "decay",
      "epsilon",
    ]);
    expect(labels(blocks.replace("batch 2", "schedule ‸"))).toContain("cosine");
    expect(labels("parallel p on h100 * 8 {\n  mesh { pp: 1, ‸ }\n}\n")).toContain("tp");
    expect(labels("parallel p on h100 * 8 {\n  sequence ‸\n}\n")[0]).toBe("over");
  });

  test("offers declarations outside, and nothing in comments and texts", () => {
    expect(labels("‸")).toEqual(expect.arrayContaining(["layer", "model", "train", "use"]));
    expect(labels("// la‸")).toEqual([]);
    expect(labels(blocks.replace("a.txt", "a‸.txt"))).toEqual([]);
  });
});

describe("definition", () => {
  test("goes to names, parameters, files, and into the library", () => {
    const to = (marked: string, files = {}) => {
      const { program, at } = open(marked, files);
      const found = definition(program, at);
      return found && `${found.uri}:${found.range.start.line}:${found.range.start.character}`;
    };
    expect(to(fade.replace("+ k", "+ ‸k"))).toBe("file:a.lsm:2:2");
    expect(to(fade + model.replace("heads: 2", "he‸ads: 2"))).toBe("file:a.lsm:1:23");
    expect(to(fade + model.replace("Block", "‸Block"))).toBe("file:stdlib/block.lsm:2:6");
    expect(to('use "b.lsm"\nmodel M { B‸() }\n', { "b.lsm": "layer B(x: [w]) { x }\n" })).toBe(
      "file:b.lsm:0:6",
    );
    expect(to('use "b.‸lsm"\n', { "b.lsm": "layer B(x: [w]) { x }\n" })).toBe("file:b.lsm:0:0");
    expect(to(fade.replace("0.9", "0‸.9"))).toBeNull();
  });
});

describe("references", () => {
  test("are found in this declaration, and in every program that uses the file", () => {
    const inside = open(fade.replace("  k =", "  ‸k ="));
    expect(references(inside.program, inside.at, true)).toHaveLength(2);
    expect(references(inside.program, inside.at, false)).toHaveLength(1);
    expect(highlights(inside.program, inside.at).map(({ kind }) => kind)).toEqual([3, 2]);
    const shared = open(fade.replace("heads = 4", "he‸ads = 4"), {
      "b.lsm": `use "a.lsm"\n${model}`,
    });
    const found = references(
      shared.program,
      shared.at,
      true,
      shared.workspace.users(shared.program),
    );
    expect(found.filter(({ uri }) => uri === "file:b.lsm")).toHaveLength(1);
    expect(found.filter(({ uri }) => uri === "file:a.lsm")).toHaveLength(4);
  });
});

describe("rename", () => {
  const renamed = (marked: string, name: string, files = {}) => {
    const { program, at, workspace } = open(marked, files);
    return rename(program, at, name, workspace.users(program), workspace.host).changes!;
  };

  test("changes every use, in all files", () => {
    const changes = renamed(fade.replace("heads = 4", "he‸ads = 4"), "parts", {
      "b.lsm": `use "a.lsm"\n${model}`,
    });
    expect(changes["file:a.lsm"]).toHaveLength(4);
    expect(changes["file:b.lsm"]).toHaveLength(1);
    expect(Object.keys(renamed(fade + model.replace("Fade", "Fa‸de"), "Slow"))).toEqual([
      "file:a.lsm",
    ]);
  });

  test.each([
    ["a name that is taken", fade.replace("  k =", "  ‸k ="), "heads", "already"],
    ["the library", fade.replace("= linear", "= li‸near"), "map", "standard library"],
    ["what is no name", fade.replace("  k =", "  ‸k ="), "2k", "no name"],
    [
      "a layer like one of the library",
      fade.replace("layer Fade", "layer Fa‸de"),
      "GLA",
      "already",
    ],
    ["the word of the language", blocks.replace("seq", "se‸q"), "length", "word of the language"],
    [
      "what would not fit its caller",
      fade.replace("x: [width]", "x: [wid‸th]") + model,
      "features",
      "does not fit",
    ],
  ])("refuses %s", (_, marked, name, reason) => {
    expect(() => renamed(marked, name)).toThrow(reason);
  });

  test("asks before it starts", () => {
    const { program, at } = open(fade.replace("  k =", "  ‸k ="));
    expect(prepareRename(program, at)).toEqual({
      start: { line: 2, character: 2 },
      end: { line: 2, character: 3 },
    });
    const none = open(fade.replace("0.9", "0‸.9"));
    expect(() => prepareRename(none.program, none.at)).toThrow("no name");
  });
});

describe("signature help", () => {
  const active = (marked: string) => {
    const { program, at } = open(marked);
    const help = signatureHelp(program, at);
    if (!help) return null;
    const { label, parameters } = help.signatures[0]!;
    const [from, to] = parameters![help.activeParameter!]!.label as [number, number];
    return [label, label.slice(from, to)];
  };

  test("follows arguments by place and by name", () => {
    expect(active(layer("  dot(x, ‸x, width)"))).toEqual([
      "dot(a: tensor, b: tensor, over: axes)",
      "b: tensor",
    ]);
    expect(active(layer("  GLA(x, key: ‸4)"))![1]).toBe("key = width / 2 / heads");
    expect(active(layer("  L = GLA(‸4)\n  L(x)"))![1]).toBe("heads = 4");
    expect(active(layer("  GLA(linear(x, [width]), ‸)"))![1]).toBe("heads = 4");
    expect(active(blocks.replace("lr: 1e-3", "lr: ‸1e-3"))![1]).toBe("lr: X");
    expect(active(layer("  (‸x)"))).toBeNull();
  });
});

describe("inlay hints", () => {
  test("show axes that are not written out", () => {
    const { program } = open(
      layer("  q: [heads] = linear(x, [heads])\n  k = linear(x, [key])\n  n = 4\n  x"),
    );
    const found = inlayHints(program, everything).map(({ label, position }) => [
      position.line,
      label,
    ]);
    expect(found).toEqual([[3, ": [key width / 4]"]]);
    expect(
      inlayHints(program, { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } }),
    ).toEqual([]);
  });
});

describe("document structure", () => {
  test("has declarations with what is in them", () => {
    const { program } = open(`use "b.lsm"\n${fade}${model}${blocks}`);
    const symbols = documentSymbols(program);
    expect(symbols.map(({ name }) => name)).toEqual(["b.lsm", "Fade", "Tiny", "book", "run"]);
    expect(symbols[1]!.children!.map(({ name }) => name)).toEqual(["x", "heads", "key", "k", "S"]);
  });

  test("folds declarations and comments", () => {
    const { program } = open(`// one\n// two\n${fade}`);
    expect(foldingRanges(program)).toEqual([
      { startLine: 0, endLine: 2, kind: "comment" },
      { startLine: 3, endLine: 7 },
    ]);
  });

  test("grows a selection from a name to the file", () => {
    const { program, at } = open(fade.replace("linear(x", "linear(‸x"));
    let depth = 0;
    for (let one = selectionRange(program, at); one.parent; one = one.parent) depth += 1;
    expect(depth).toBeGreaterThan(3);
  });

  test("colours names by what they are", () => {
    const { program, text } = open(fade);
    const { data } = semanticTokens(program);
    let [line, character] = [0, 0];
    const found: Record<string, string> = {};
    for (let i = 0; i < data.length; i += 5) {
      line += data[i]!;
      character = data[i]! > 0 ? data[i + 1]! : character + data[i + 1]!;
      found[text.split("\n")[line]!.slice(character, character + data[i + 2]!)] =
        tokenTypes[data[i + 3]!]!;
    }
    expect(found).toEqual({
      Fade: "class",
      x: "parameter",
      width: "typeParameter",
      heads: "parameter",
      key: "parameter",
      k: "variable",
      S: "property",
      linear: "class",
    });
  });
});

describe("quick fixes", () => {
  test("carry out the help of a message", () => {
    const fixed = (text: string) => {
      const { program } = open(text);
      const [action] = codeActions(program, everything);
      return action?.edit?.changes?.["file:a.lsm"]?.[0]?.newText;
    };
    expect(fixed(layer("  lnear(x, [width])"))).toBe("linear");
    expect(fixed(layer("  linear(x, [hads])"))).toBe("heads");
    expect(fixed(fade.replaceAll("S", "Mem").replace("Mem <-", "Men <-"))).toBe("Mem");
    expect(fixed("layr A(x: [width]) { x }\n")).toBe("layer");
    expect(fixed(blocks.replace("adamw", "adam"))).toBe("adamw");
    expect(fixed(blocks.replace("adamw", "moun"))).toBe("muon");
    expect(fixed(blocks.replace("seq", "sq"))).toBe("seq");
    expect(fixed(fade + model + blocks.replace("model Tiny", "model Tny"))).toBe("Tiny");
    expect(
      fixed('parallel p on h100 * 2 {\n  mesh { pp: 2 }\n  blocks over pp schedule "1f2b"\n}\n'),
    ).toBe('"1f1b"');
    expect(fixed(fade)).toBeUndefined();
  });
});

describe("formatting", () => {
  test("is one edit of what differs, and none while there are mistakes", async () => {
    const { program } = open("layer A(x: [width]) {\n  a   = x\n  a\n}\n");
    expect(await formatting(program)).toEqual([
      { range: { start: { line: 1, character: 4 }, end: { line: 1, character: 6 } }, newText: "" },
    ]);
    expect(await formatting(open("layer A(").program)).toEqual([]);
  });
});
