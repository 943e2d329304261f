/** `lsm lsp`: the language server, over the standard input and output. */

import type { AddCommand } from "../program.js";

export const addLsp: AddCommand = (program, session) => {
  program
    .command("lsp")
    .summary("serve an editor")
    .description(
      "Runs the language server: an editor starts it and talks to it over standard input and output.",
    )
    .option("--stdio", "talk over standard input and output, as it always does")
    .option("--clientProcessId <id>", "the editor's process, which some editors give")
    .addHelpText(
      "after",
      "\nExamples:\n  lsm lsp\n\nHow to set up an editor: grammar/vscode/README.md",
    )
    .action(async () => (await import("../language-server.js")).runLanguageServer(session.host));
};
