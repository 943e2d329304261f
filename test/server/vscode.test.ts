/** The VS Code client as it is built: its files are where its manifest says, and the server in it answers. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Client } from "../support/server/client.js";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "grammar/vscode");

test("the VS Code client is complete", async () => {
  execFileSync(process.execPath, [join(folder, "build.mjs")]);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly main: string;
    readonly contributes: {
      readonly languages: readonly { readonly id: string; readonly configuration: string }[];
      readonly grammars: readonly { readonly path: string; readonly scopeName: string }[];
    };
  };
  const [language, grammar] = [
    manifest.contributes.languages[0]!,
    manifest.contributes.grammars[0]!,
  ];
  for (const path of [manifest.main, language.configuration, grammar.path])
    expect(existsSync(join(folder, path)), path).toBe(true);
  const read = (path: string) =>
    JSON.parse(readFileSync(join(folder, path), "utf8")) as Record<string, unknown>;
  expect(read(grammar.path)["scopeName"]).toBe(grammar.scopeName);
  expect(read(language.configuration)["comments"]).toEqual({ lineComment: "//" });
  const client = new Client("grammar/vscode/dist/server/lsm.js");
  await client.request("initialize", { processId: null, rootUri: null, capabilities: {} });
  const uri = "file:///nowhere/a.lsm";
  const text = "layer A(x: [width]) { rmsnorm(x) }\n";
  client.notify("textDocument/didOpen", {
    textDocument: { uri, languageId: "lsm", version: 1, text },
  });
  const params = { textDocument: { uri }, position: { line: 0, character: 24 } };
  const { uri: place } = await client.request<{ uri: string }>("textDocument/definition", params);
  expect(existsSync(new URL(place))).toBe(true);
  expect(await client.stop()).toBe(0);
  expect(client.stderr).toBe("");
});
