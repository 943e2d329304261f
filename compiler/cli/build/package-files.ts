/** What makes a folder with a trainer a package of its own: it runs and type-checks where it lies. */

import manifest from "../../../package.json" with { type: "json" };
import { packageRoot } from "./package-root.js";
import { pathFrom } from "./paths.js";

export interface PackageFacts {
  readonly out: string;
  /** The program's file without its ending. */
  readonly stem: string;
  readonly model: string;
  readonly training: string;
}

const compilerOptions = {
  target: "ES2022",
  module: "NodeNext",
  moduleResolution: "NodeNext",
  lib: ["ES2023", "DOM"],
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  resolveJsonModule: true,
  skipLibCheck: true,
  noEmit: true,
};

export function packageJson({ out, stem, model }: PackageFacts): string {
  const { devDependencies, dependencies } = manifest;
  return json({
    name: `${stem}-trainer`
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, "-")
      .replace(/^-+/, ""),
    description: `Trains ${model}. Written by lsm ${manifest.version}.`,
    private: true,
    type: "module",
    scripts: {
      train: "esbuild trainer.ts --outfile=trainer.js --log-level=warning && node trainer.js",
      typecheck: "tsc",
    },
    dependencies: { lsm: `file:${pathFrom(out, packageRoot())}` },
    devDependencies: {
      "@types/node": devDependencies["@types/node"],
      esbuild: dependencies.esbuild,
      typescript: devDependencies.typescript,
    },
  });
}

export const tsconfigJson = (): string => json({ compilerOptions, include: ["trainer.ts"] });

export function readme({ stem, model, training }: PackageFacts): string {
  return `# ${model}

A trainer that \`lsm build\` wrote from \`${stem}.lsm\`, train block \`${training}\`. It is ordinary TypeScript on tfjs: read it, change it, keep it.

\`\`\`sh
npm install
npm run train                        # into runs/${training}; --out DIR for another folder
npm run train -- --resume            # goes on from the newest checkpoint
npm run train -- --backend wasm      # instead of the best backend there is
npm run typecheck
\`\`\`

| file | what it is |
| --- | --- |
| \`trainer.ts\` | parameters, forward and backward passes, evaluation, settings |
| \`${stem}.lsm\` | the program it was written from, in one file; checkpoints carry it |

What \`trainer.ts\` exports (\`trainable\`, \`settings\`) can be imported without training anything.
\`lsm generate\` and \`lsm evaluate\` read its checkpoints.
`;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
