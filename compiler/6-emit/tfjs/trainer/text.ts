/** Values as TypeScript text. Whatever a program is called or says, it stays inside its literal or comment. */

const plainName = /^[A-Za-z_$][\w$]*$/;

/** A value of plain data; `indent` as for JSON.stringify. */
export function literal(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return object(
      Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([name, one]) => [name, literal(one)]),
    );
  return JSON.stringify(value);
}

/** An object from its keys and the expressions of their values. */
export function object(entries: readonly (readonly [string, string])[]): string {
  const parts = entries.map(entry);
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

/** One property of an object literal. */
export function entry([name, value]: readonly [name: string, value: string]): string {
  return name === value ? name : `${key(name)}: ${value}`;
}

/** A property's name in a literal or an interface. */
export function key(name: string): string {
  if (name === "__proto__") return '["__proto__"]'; // bare, it would set the prototype
  return plainName.test(name) ? name : JSON.stringify(name);
}

/** `w` and `["blocks", "0", "q"]` to `w.blocks[0].q`. */
export function member(of: string, path: readonly string[]): string {
  const parts = path.map((name) => {
    if (/^(0|[1-9]\d*)$/.test(name)) return `[${name}]`;
    return plainName.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  });
  return of + parts.join("");
}

/** Text of a program inside a comment: on one line, and unable to end it. */
export function comment(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replaceAll("*/", "* /")
    .trim();
}

/** Words of a comment on lines no longer than `width`. */
export function wrapped(text: string, width = 100): string[] {
  return filled(comment(text).split(" "), " ", width);
}

/** Items on lines no longer than `width`; none is cut in two. */
export function filled(items: readonly string[], separator: string, width = 100): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + separator.length + item.length <= width)
      lines[lines.length - 1] = last + separator + item;
    else lines.push(item);
  }
  return lines;
}

/** The documentation comment in front of a declaration. */
export function documentation(lines: readonly string[]): string {
  if (lines.length === 1) return `/** ${lines[0]!} */`;
  return ["/**", ...lines.map((line) => ` * ${line}`.trimEnd()), " */"].join("\n");
}
