/** For commands whose part of the compiler is not built yet: they say so and fail, rather than pretend. */

import { Exit, type ExitCode } from "./exit.js";
import { say, type Session } from "./session.js";

export function notInThisBuild(command: string, session: Session): ExitCode {
  say(session.err, `lsm ${command}: not in this build yet`);
  return Exit.internal;
}
