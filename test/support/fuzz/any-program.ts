/** One program for every number: bytes, tokens, mutations of real programs, random layer bodies. */

import { randomBody } from "./bodies.js";
import { anyBytes, mutated, tokenSoup } from "./mutate.js";
import { models, realPrograms } from "./programs.js";
import { Choices } from "./random.js";

export function anyProgram(seed: number): string {
  const choices = new Choices(seed);
  switch (choices.below(20)) {
    case 0:
      return anyBytes(choices);
    case 1:
    case 2:
      return tokenSoup(choices);
    case 3:
    case 4:
    case 5:
      return mutated(choices, choices.of(realPrograms));
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      return mutated(choices, choices.of(models));
    case 11:
    case 12:
      return mutated(choices, randomBody(choices));
    default:
      return randomBody(choices);
  }
}
