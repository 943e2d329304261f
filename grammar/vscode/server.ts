/** The language server that comes with the extension, for who has not installed lsm. */

import { runLanguageServer } from "../../compiler/cli/language-server.js";
import { nodeHost } from "../../compiler/cli/node-host.js";

await runLanguageServer(nodeHost());
