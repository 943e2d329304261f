/** The language server as an editor meets it: `lsm lsp` in a process of its own, JSON-RPC over its streams. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {
  CompletionItem,
  Diagnostic,
  Hover,
  Location,
  TextEdit,
} from "vscode-languageserver-types";
import type { InitializeResult, PublishDiagnosticsParams } from "vscode-languageserver";
import { Client } from "../support/server/client.js";

const moby = readFileSync(join(import.meta.dirname, "../../examples/moby/moby.lsm"), "utf8");
const uri = "file:///tmp/nowhere/moby.lsm";
const textDocument = { uri };

let client: Client;

const told = (version: number) =>
  client.notification<PublishDiagnosticsParams>(
    "textDocument/publishDiagnostics",
    (params) => params.uri === uri && params.version === version,
  );

beforeAll(async () => {
  client = new Client();
  const params = {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    workspaceFolders: null,
  };
  const { serverInfo, capabilities } = await client.request<InitializeResult>("initialize", params);
  expect(serverInfo!.name).toBe("lsm");
  expect(capabilities.hoverProvider).toBe(true);
  client.notify("initialized", {});
});

afterAll(() => client.kill());

describe("lsm lsp", () => {
  test("tells of mistakes as they are typed", async () => {
    client.notify("textDocument/didOpen", {
      textDocument: { uri, languageId: "lsm", version: 1, text: moby },
    });
    expect((await told(1)).diagnostics).toEqual([]);
    change(2, 2, 12, 13, "GLAA".slice(0, 1) + "X");
    const [mistake] = (await told(2)).diagnostics as [Diagnostic];
    expect(mistake).toMatchObject({ code: "unknown-layer", source: "lsm", severity: 1 });
    expect(mistake.range.start).toEqual({ line: 2, character: 12 });
    change(3, 2, 12, 14, "G");
    expect((await told(3)).diagnostics).toEqual([]);
  });

  test("answers what it is asked", async () => {
    const position = { line: 2, character: 7 };
    const hover = await client.request<Hover>("textDocument/hover", { textDocument, position });
    expect(JSON.stringify(hover.contents)).toContain("layer Block(x: [width]");
    const place = await client.request<Location>("textDocument/definition", {
      textDocument,
      position,
    });
    expect(place.uri).toMatch(/^file:.*\/stdlib\/block\.lsm$/);
    expect(readFileSync(new URL(place.uri), "utf8").split("\n")[place.range.start.line]).toContain(
      "layer Block(",
    );
    const edits = await client.request<TextEdit[]>("textDocument/formatting", {
      textDocument,
      options: { tabSize: 2, insertSpaces: true },
    });
    expect(edits).toEqual([]);
    const symbols = await client.request<{ name: string }[]>("textDocument/documentSymbol", {
      textDocument,
    });
    expect(symbols.map(({ name }) => name)).toEqual(["Moby", "book", "moby"]);
  });

  test("completes names of files, from the disk", async () => {
    const folder = join(import.meta.dirname, "../../examples/moby");
    const beside = pathToFileURL(join(folder, "beside.lsm")).href;
    const text = 'use "mo"\n';
    client.notify("textDocument/didOpen", {
      textDocument: { uri: beside, languageId: "lsm", version: 1, text },
    });
    const items = await client.request<CompletionItem[]>("textDocument/completion", {
      textDocument: { uri: beside },
      position: { line: 0, character: 7 },
    });
    expect(items.map(({ label }) => label)).toContain("moby.lsm");
    expect(items[0]!.textEdit).toMatchObject({ range: { start: { character: 5 } } });
    client.notify("textDocument/didClose", { textDocument: { uri: beside } });
  });

  test("gives the reason why it refuses", async () => {
    const params = { textDocument, position: { line: 2, character: 7 }, newName: "Part" };
    await expect(client.request("textDocument/rename", params)).rejects.toThrow("standard library");
  });

  test("answers for documents that it does not know, and methods that it does not have", async () => {
    const unknown = { uri: "untitled:one" };
    const params = { textDocument: unknown, position: { line: 0, character: 0 } };
    expect(await client.request("textDocument/hover", params)).toBeNull();
    await expect(client.request("textDocument/nothing", params)).rejects.toThrow("nothing");
    await expect(client.request("textDocument/hover", {})).rejects.toThrow();
  });

  test("survives messages that are none, and hostile documents", async () => {
    client.raw("Content-Length: 5\r\n\r\n{oops");
    client.notify("textDocument/didChange", {
      textDocument: { uri, version: 9 },
      contentChanges: "none",
    });
    client.notify("textDocument/didOpen", {});
    for (const [i, text] of [
      "{".repeat(20_000),
      "\0￾\ud800",
      `layer A(x: [width]) { ${"x + ".repeat(20_000)}x }`,
    ].entries()) {
      const hostile = `file:///tmp/nowhere/${i}.lsm`;
      client.notify("textDocument/didOpen", {
        textDocument: { uri: hostile, languageId: "lsm", version: 1, text },
      });
      await client.notification<PublishDiagnosticsParams>(
        "textDocument/publishDiagnostics",
        (params) => params.uri === hostile,
      );
    }
    const position = { line: 2, character: 7 };
    expect(await client.request("textDocument/hover", { textDocument, position })).not.toBeNull();
  });

  test("forgets a closed document's mistakes", async () => {
    const other = "file:///tmp/nowhere/0.lsm";
    client.notify("textDocument/didClose", { textDocument: { uri: other } });
    const { diagnostics } = await client.notification<PublishDiagnosticsParams>(
      "textDocument/publishDiagnostics",
      (params) => params.uri === other && params.diagnostics.length === 0,
    );
    expect(diagnostics).toEqual([]);
  });

  test("ends when it is told to", async () => {
    expect(await client.stop()).toBe(0);
    expect(client.stderr).toBe("");
  });
});

function change(version: number, line: number, from: number, to: number, text: string): void {
  const range = { start: { line, character: from }, end: { line, character: to } };
  client.notify("textDocument/didChange", {
    textDocument: { uri, version },
    contentChanges: [{ range, text }],
  });
}
