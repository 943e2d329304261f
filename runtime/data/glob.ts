/**
 * File patterns: `*` and `?` stand for characters of one name, `**` for any number of folders. Names that begin
 * with a dot match only patterns that say so. Everything else stands for itself.
 */

/** A pattern's fixed leading folders, and what the path below them must match. */
export interface Glob {
  /** The folder the search starts in: absolute or relative as the pattern was; `.` when it has none. */
  readonly root: string;
  /** Tests a path relative to `root`, its parts joined by `/`. */
  matches(path: string): boolean;
  /** Whether anything inside the folder with this relative path could match. */
  entersFolder(path: string): boolean;
}

const MAGIC = /[*?]/;

export function isGlob(pattern: string): boolean {
  return MAGIC.test(pattern);
}

export function parseGlob(pattern: string): Glob {
  const parts = pattern.split("/");
  const first = parts.findIndex((part) => MAGIC.test(part));
  const fixed = first < 0 ? parts.slice(0, -1) : parts.slice(0, first);
  const rest = parts.slice(fixed.length).filter((part) => part !== "" && part !== ".");
  const tests = rest.map((part) => (part === "**" ? null : nameTest(part)));
  const root = fixed.length === 0 ? "." : fixed.join("/") || "/";
  return {
    root,
    matches: (path) => fits(path.split("/"), tests, false),
    entersFolder: (path) => fits(path.split("/"), tests, true),
  };
}

/**
 * Whether `names` fit the tests, `null` meaning `**`; as a folder they need only fit a beginning of them.
 * Positions in the tests are followed side by side, so the time is at most names times tests.
 */
function fits(
  names: readonly string[],
  tests: readonly (((name: string) => boolean) | null)[],
  folder: boolean,
): boolean {
  const skip = (at: Set<number>): Set<number> => {
    for (const i of at) if (tests[i] === null) at.add(i + 1); // `**` may stand for no folder at all
    return at;
  };
  let reached = skip(new Set([0]));
  for (const name of names) {
    const next = new Set<number>();
    for (const i of reached) {
      const test = tests[i];
      if (test === null && !name.startsWith(".")) next.add(i);
      else if (test?.(name)) next.add(i + 1);
    }
    reached = skip(next);
  }
  return folder ? [...reached].some((i) => i < tests.length) : reached.has(tests.length);
}

/** The test of one name: a linear scan with one point to come back to, so no pattern is slow. */
function nameTest(pattern: string): (name: string) => boolean {
  return (name) => {
    if (name.startsWith(".") && !pattern.startsWith(".")) return false;
    let p = 0;
    let n = 0;
    let star = -1;
    let resume = 0;
    while (n < name.length) {
      if (pattern[p] === "*") {
        star = p++;
        resume = n;
      } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
        p++;
        n++;
      } else if (star >= 0) {
        p = star + 1;
        n = ++resume;
      } else {
        return false;
      }
    }
    while (pattern[p] === "*") p++;
    return p === pattern.length;
  };
}
