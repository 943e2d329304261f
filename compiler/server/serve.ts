/**
 * The language server: what a client asks, answered by the features. Where messages come from and how files
 * are reached is the caller's business, so that the same server runs behind `lsm lsp` and in a page's worker.
 */

import type { CancellationToken, Connection } from "vscode-languageserver";
import {
  type Diagnostic,
  type InitializeResult,
  type SemanticTokensLegend,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  TextDocumentSyncKind,
} from "vscode-languageserver";
import type { Host } from "../host.js";
import { codeActions } from "./features/code-actions.js";
import { completion } from "./features/completion/completion.js";
import { definition } from "./features/definition.js";
import { diagnostics } from "./features/diagnostics.js";
import { documentSymbols } from "./features/document-symbols.js";
import { foldingRanges } from "./features/folding.js";
import { formatting } from "./features/formatting.js";
import { hover } from "./features/hover.js";
import { inlayHints } from "./features/inlay-hints.js";
import { highlights, references } from "./features/references.js";
import { Refusal, prepareRename, rename } from "./features/rename.js";
import { selectionRange } from "./features/selection-ranges.js";
import { semanticTokens, tokenModifiers, tokenTypes } from "./features/semantic-tokens.js";
import { signatureHelp } from "./features/signature-help.js";
import type { Program } from "./program.js";
import { type Uris, Workspace } from "./workspace.js";

export interface ServerOptions {
  readonly host: Host;
  readonly uris: Uris;
  readonly version: string;
}

interface About {
  readonly textDocument: { readonly uri: string };
}

/** Answers everything that comes over a connection; the caller makes it listen. */
export function serve(connection: Connection, { host, uris, version }: ServerOptions): void {
  const workspace = new Workspace(host, uris);
  const published = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;

  connection.onInitialize(({ workspaceFolders, capabilities }) => {
    workspace.folders = (workspaceFolders ?? []).map(({ uri }) => uris.toPath(uri));
    watchesFiles = capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration ?? false;
    return initialized(version);
  });
  let watchesFiles = false;
  connection.onInitialized(() => {
    if (watchesFiles) void watchFiles(connection);
  });

  connection.onDidOpenTextDocument(({ textDocument: { uri, version: number, text } }) => {
    workspace.open(uri, number, text);
    publishSoon();
  });
  connection.onDidChangeTextDocument(
    ({ textDocument: { uri, version: number }, contentChanges }) => {
      workspace.change(uri, number, contentChanges);
      publishSoon();
    },
  );
  connection.onDidCloseTextDocument(({ textDocument: { uri } }) => {
    workspace.close(uri);
    publishSoon();
  });
  connection.onDidChangeWatchedFiles(() => {
    workspace.refresh();
    publishSoon();
  });

  connection.onHover(answer((program, { position }) => hover(program, position)));
  connection.onCompletion(answer((program, { position }) => completion(program, position)));
  connection.onSignatureHelp(answer((program, { position }) => signatureHelp(program, position)));
  connection.onDefinition(answer((program, { position }) => definition(program, position)));
  connection.onReferences(
    answer((program, { position, context }) =>
      references(program, position, context.includeDeclaration, workspace.users(program)),
    ),
  );
  connection.onDocumentHighlight(answer((program, { position }) => highlights(program, position)));
  connection.onPrepareRename(answer((program, { position }) => prepareRename(program, position)));
  connection.onRenameRequest(
    answer((program, { position, newName }) =>
      rename(program, position, newName, workspace.users(program), workspace.host),
    ),
  );
  connection.onDocumentSymbol(answer((program) => documentSymbols(program)));
  connection.onFoldingRanges(answer((program) => foldingRanges(program)));
  connection.onSelectionRanges(
    answer((program, { positions }) =>
      positions.map((position) => selectionRange(program, position)),
    ),
  );
  connection.onCodeAction(answer((program, { range }) => codeActions(program, range)));
  connection.onDocumentFormatting(answer((program) => formatting(program)));
  connection.languages.inlayHint.on(answer((program, { range }) => inlayHints(program, range)));
  connection.languages.semanticTokens.on(
    answer((program) => semanticTokens(program), { data: [] }),
  );

  /** A handler that finds the program, and turns what went wrong into an answer. */
  function answer<P extends About, R, N = null>(
    feature: (program: Program, params: P) => R | Promise<R>,
    nothing: N = null as N,
  ): (params: P, token: CancellationToken) => Promise<R | N | ResponseError> {
    return async (params, token) => {
      if (token.isCancellationRequested)
        return new ResponseError(LSPErrorCodes.RequestCancelled, "cancelled");
      try {
        const program = workspace.program(uris.toPath(params.textDocument.uri));
        return program ? await feature(program, params) : nothing;
      } catch (error) {
        if (error instanceof Refusal)
          return new ResponseError(LSPErrorCodes.RequestFailed, error.message);
        return new ResponseError(ErrorCodes.InternalError, told(error));
      }
    };
  }

  /** After the messages that are waiting already, so that fast typing is checked once. */
  function publishSoon(): void {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(publish, 0);
  }

  function publish(): void {
    timer = null;
    const found = new Map<string, Map<string, Diagnostic[]>>();
    for (const path of workspace.documents.keys())
      try {
        const program = workspace.program(path);
        if (program) found.set(path, diagnostics(program));
      } catch (error) {
        connection.console.error(told(error));
      }
    const byFile = new Map([...published].map((path) => [path, [] as Diagnostic[]]));
    // a file's own check says most of it; that of a program that uses it speaks where it is not open
    for (const [main, files] of found)
      for (const [path, list] of files)
        if (path === main || !found.has(path)) byFile.set(path, list);
    for (const [path, list] of byFile) {
      const document = workspace.documents.get(path);
      void connection.sendDiagnostics({
        uri: document?.uri ?? uris.toUri(path),
        ...(document ? { version: document.version } : {}),
        diagnostics: list,
      });
      if (list.length > 0) published.add(path);
      else published.delete(path);
    }
  }
}

/** A mistake of lsm itself: said, and nothing is lost by it but the one answer. */
const told = (error: unknown): string =>
  `a mistake in lsm itself: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;

const legend: SemanticTokensLegend = {
  tokenTypes: [...tokenTypes],
  tokenModifiers: [...tokenModifiers],
};

const initialized = (version: string): InitializeResult => ({
  serverInfo: { name: "lsm", version },
  capabilities: {
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
    hoverProvider: true,
    completionProvider: { triggerCharacters: [".", "(", "[", ",", ":", '"', "/"] },
    signatureHelpProvider: { triggerCharacters: ["(", ","] },
    definitionProvider: true,
    referencesProvider: true,
    documentHighlightProvider: true,
    renameProvider: { prepareProvider: true },
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    selectionRangeProvider: true,
    codeActionProvider: { codeActionKinds: ["quickfix"] },
    documentFormattingProvider: true,
    inlayHintProvider: true,
    semanticTokensProvider: { legend, full: true },
  },
});

async function watchFiles(connection: Connection): Promise<void> {
  try {
    await connection.client.register(DidChangeWatchedFilesNotification.type, {
      watchers: [{ globPattern: "**/*.lsm" }],
    });
  } catch {
    // a client that cannot watch files tells of changes when documents are opened
  }
}
