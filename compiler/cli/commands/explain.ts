/** `lsm explain`: the long story behind a diagnostic's code. */

import type { CatalogueEntry } from "../../diagnostics/catalogue.generated.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import { Exit, UsageError, type ExitCode } from "../exit.js";
import type { AddCommand } from "../program.js";
import { proseForTerminal } from "../prose.js";
import { paletteOf, say, type Session } from "../session.js";

export interface ExplainOptions {
  readonly json?: true;
}

export const addExplain: AddCommand = (program, session, finish) => {
  program
    .command("explain")
    .summary("tell the long story behind a message")
    .description(
      "Explains a diagnostic's code, with a wrong and a right program. Without a code, lists all of them.",
    )
    .argument("[code]", "the code in a message's brackets, for example axis-mismatch")
    .option("--json", "print the entries as JSON")
    .addHelpText("after", "\nExamples:\n  lsm explain axis-mismatch\n  lsm explain")
    .action(async (code: string | undefined, options: ExplainOptions) =>
      finish(await explain(code, options, session)),
    );
};

async function explain(
  code: string | undefined,
  options: ExplainOptions,
  session: Session,
): Promise<ExitCode> {
  const { catalogue } = await import("../../diagnostics/catalogue.generated.js");
  if (code === undefined) {
    if (options.json) say(session.out, JSON.stringify(catalogue, null, 2));
    else list(catalogue, session);
    return Exit.ok;
  }
  const name = code.replace(/^(?:error|warning)?\[(.*)\]$/, "$1"); // as copied from a message
  const entry = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  if (entry === undefined) {
    const help = didYouMean(name, Object.keys(catalogue)) ?? "`lsm explain` lists all codes";
    throw new UsageError(`there is no message with the code \`${name}\``, help);
  }
  if (options.json) say(session.out, JSON.stringify({ code: name, ...entry }, null, 2));
  else tell(name, entry, session);
  return Exit.ok;
}

function list(catalogue: Readonly<Record<string, CatalogueEntry>>, session: Session): void {
  const width = Math.max(...Object.keys(catalogue).map((code) => code.length));
  const paint = paletteOf(session.out);
  for (const [code, { severity, title }] of Object.entries(catalogue)) {
    say(session.out, `${paint[severity](code)}${" ".repeat(width - code.length)}  ${title}`);
  }
}

function tell(code: string, { severity, title, prose }: CatalogueEntry, session: Session): void {
  const paint = paletteOf(session.out);
  say(session.out, `${paint[severity](`${severity}[${code}]`)}${paint.title(`: ${title}`)}\n`);
  say(session.out, proseForTerminal(prose, paint));
}
