/** The VS Code client: finds `lsm`, starts its language server, and leaves everything else to it. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ExtensionContext, commands, window, workspace } from "vscode";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";

let client: LanguageClient | null = null;

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand("lsm.restart", async () => {
      await client?.stop();
      await start(context);
    }),
  );
  await start(context);
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

async function start(context: ExtensionContext): Promise<void> {
  const program = findProgram(context);
  // a program of JavaScript runs on the editor's own Node, so that none needs to be installed
  const server = program.endsWith(".js")
    ? { module: program, args: ["lsp"], transport: TransportKind.stdio }
    : { command: program, args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("lsm", "lsm", server, {
    documentSelector: [{ language: "lsm" }],
  });
  try {
    await client.start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    void window.showErrorMessage(
      `lsm: ${program} does not start: ${reason}. Set lsm.server.path to where lsm is.`,
    );
  }
}

/** What the settings say, else what the workspace has installed or is, else what came with the extension. */
function findProgram({ extensionPath }: ExtensionContext): string {
  const set = workspace.getConfiguration("lsm").get<string>("server.path", "");
  if (set !== "") return set;
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const places = [
    ...folders.flatMap((folder) => [
      join(folder, "node_modules/lsm/dist/lsm.js"),
      join(folder, "dist/lsm.js"),
    ]),
    join(extensionPath, "dist/server/lsm.js"),
  ];
  return places.find(existsSync) ?? "lsm";
}
