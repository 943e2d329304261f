/** `lsm ui`: the training page for runs that go on or have ended. */

import { join } from "node:path";
import { port } from "../arguments.js";
import { packageRoot } from "../build/package-root.js";
import { Exit, type ExitCode, UsageError } from "../exit.js";
import type { AddCommand } from "../program.js";
import { say, type Session } from "../session.js";

export interface UiOptions {
  readonly port: number;
}

export const addUi: AddCommand = (program, session, finish) => {
  program
    .command("ui")
    .summary("look at runs in a browser")
    .description(
      "Serves a page, on this machine only, with the curves and samples of runs; several can be compared.",
    )
    .argument("[folders...]", "runs, or folders of runs (default: runs)")
    .option("--port <n>", "the page's port; 0 takes a free one", port, 6006)
    .addHelpText("after", "\nExamples:\n  lsm ui\n  lsm ui runs/moby runs/moby-2 --port 8080")
    .action(async (folders: string[], options: UiOptions) =>
      finish(await ui(folders.length === 0 ? ["runs"] : folders, options, session)),
    );
};

async function ui(
  roots: readonly string[],
  options: UiOptions,
  session: Session,
): Promise<ExitCode> {
  const absent = roots.find((root) => !session.host.exists(root));
  if (absent !== undefined)
    throw new UsageError(`there is no ${absent}`, "lsm train writes runs to runs/");
  const { serveLive } = await import("../../../runtime/live/server.node.js");
  const { pageFiles } = await import("../../../runtime/live/page-files.node.js");
  const { listenForStop } = await import("../../../runtime/run/stop.node.js");
  const files = await pageFiles(join(packageRoot(), "dist/live"));
  const { url, close } = await serveLive({ roots, port: options.port, files });
  say(session.out, `${url} (Ctrl-C ends it)`);
  await new Promise<void>((stopped) => listenForStop(() => stopped()));
  await close();
  return Exit.ok;
}
