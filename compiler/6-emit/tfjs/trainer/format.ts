/** From parts to a file's text: built with ts-morph, formatted with Prettier. */

import { format } from "prettier/standalone";
import * as estree from "prettier/plugins/estree";
import * as typescript from "prettier/plugins/typescript";
import { type Node, Project, type SourceFileStructure, ts } from "ts-morph";

export type Part = Extract<SourceFileStructure["statements"], readonly unknown[]>[number];

/** What a file may import: only what it uses is. */
export interface Imports {
  readonly from: string;
  readonly values: readonly string[];
  readonly types: readonly string[];
}

export async function printTypeScript(
  header: string,
  { from, values, types }: Imports,
  parts: readonly Part[],
): Promise<string> {
  const project = new Project({ useInMemoryFileSystem: true });
  const file = project.createSourceFile("trainer.ts", { statements: [...parts] });
  const used = identifiers(file);
  file.insertImportDeclaration(0, {
    moduleSpecifier: from,
    namedImports: [
      ...types.filter((name) => used.has(name)).map((name) => ({ name, isTypeOnly: true })),
      ...values.filter((name) => used.has(name)).map((name) => ({ name })),
    ],
  });
  return format(`${header}\n\n${file.getFullText()}`, {
    parser: "typescript",
    printWidth: 100,
    plugins: [typescript, estree],
  });
}

function identifiers(file: Node): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file.compilerNode);
  return found;
}
