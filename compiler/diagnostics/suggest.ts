/** Did-you-mean: the known name that a mistyped one most likely stands for. */

import type { Span } from "../../grammar/ast.js";
import type { Advice } from "./diagnostic.js";

/** Longer words are not typing slips, and comparing them would cost time on hostile input. */
const longestWord = 64;

/**
 * The candidate nearest to `word`, or null when none is near enough: a third of the longer word's letters
 * may differ, so `q` never suggests `k`, and `sofmax` finds `softmax`. Ties go to the earlier candidate.
 */
export function suggest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > longestWord) return null;
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    if (candidate === word) continue;
    const cutoff = Math.floor(Math.max(word.length, candidate.length) / 3);
    const distance = likeness(word, candidate, Math.min(cutoff, bestDistance));
    if (distance <= cutoff && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ``did you mean `softmax`?``, or null. */
export function didYouMean(word: string, candidates: Iterable<string>): string | null {
  const nearest = suggest(word, candidates);
  return nearest === null ? null : `did you mean \`${nearest}\`?`;
}

/** The same help for a nearest name that was found, with the edit that puts it in. */
export const instead = (near: string, span: Span): Advice => ({
  help: `did you mean \`${near}\`?`,
  edit: { span, text: near },
});

/** Words that differ in letter case or in `_` and `-` only are nearer than any other pair. */
function likeness(a: string, b: string, cutoff: number): number {
  return fold(a) === fold(b) ? 0 : editDistance(a.toLowerCase(), b.toLowerCase(), cutoff);
}

const fold = (word: string) => word.toLowerCase().replaceAll(/[-_]/g, "");

/**
 * Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps
 * of neighbours, each at a cost of one. Gives Infinity when the distance must exceed `cutoff`.
 */
export function editDistance(a: string, b: string, cutoff = Infinity): number {
  if (Math.abs(a.length - b.length) > cutoff) return Infinity;
  let twoAgo: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(substitute, previous[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, twoAgo[j - 2]! + 1);
      }
      row.push(cost);
    }
    twoAgo = previous;
    previous = row;
  }
  return previous[b.length]!;
}
