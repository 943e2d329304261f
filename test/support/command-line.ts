/** Runs the command line inside the test's own process, on files in memory. */
import type { ExitCode } from "../../compiler/cli/exit.js";
import { run } from "../../compiler/cli/program.js";
import type { Session } from "../../compiler/cli/session.js";
import { memoryHost, type MemoryHost } from "./memory-host.js";

export interface Result {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly host?: MemoryHost;
  readonly stdin?: string;
  readonly env?: Record<string, string>;
  readonly colour?: boolean;
}

export async function lsm(argv: readonly string[], around: Surroundings = {}): Promise<Result> {
  const written = { out: "", err: "" };
  const output = (stream: "out" | "err") => ({
    colour: around.colour ?? false,
    write: (text: string) => void (written[stream] += text),
  });
  const session: Session = {
    host: around.host ?? memoryHost(),
    out: output("out"),
    err: output("err"),
    env: around.env ?? {},
    readStdin: () => Promise.resolve(around.stdin ?? ""),
    subject: null,
  };
  return { code: await run(argv, session), ...written };
}
