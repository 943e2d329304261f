/**
 * The trainers beside the examples are those that a build of them writes; `npm run accept` renews them. Of a PyTorch
 * project only the Python is there, with how it is formatted, to be read: a build writes what else it needs.
 */

import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { torchFiles } from "../compiler/cli/build/torch.js";
import { trainerText } from "../compiler/cli/build/trainer.js";
import { nodeHost } from "../compiler/cli/node-host.js";
import { check } from "../compiler/1-check/check.js";

const root = join(import.meta.dirname, "..");
const examples = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".lsm"))
  .sort();

it("are found", () => expect(examples).toContain("moby/moby.lsm"));

for (const name of examples) {
  const path = join(root, "examples", name);
  const checked = check(nodeHost(root), path);

  it(`${name} has no mistakes`, () => expect(checked.diagnostics).toEqual([]));

  // what is meant for a cluster is not trained on tfjs
  const own = checked.meshes.size > 0 ? [] : [...checked.trainings.values()];
  it.each(own.map((training) => [training.name, training] as const))(
    `${name} has a fresh trainer: %s`,
    async (_, training) => {
      const text = await trainerText(checked, training, { source: basename(path), data: "." });
      const file = own.length === 1 ? "trainer.ts" : `trainer-${training.name}.ts`;
      await expect(text).toMatchFileSnapshot(join(dirname(path), file));
    },
  );

  if (name === "moby/moby.lsm")
    it(`${name} has a fresh PyTorch project`, async () => {
      const [training] = own as [(typeof own)[number]];
      const files = torchFiles(checked, training, join(dirname(path), "torch"));
      for (const { name: file, text } of files)
        if (file.endsWith(".py") || file === "pyproject.toml")
          await expect(text).toMatchFileSnapshot(join(dirname(path), "torch", file));
    });
}
