/** Which block of one stack is which of another. */

export interface Pair<T> {
  readonly before: T | null;
  readonly after: T | null;
}

/**
 * The longest common subsequence of both by their kinds; what lies between two matches is matched in order, and what is
 * left of a longer side there stands alone. So a block put into a stack is one that was added, and not all behind it changed.
 */
export function align<T>(
  before: readonly T[],
  after: readonly T[],
  kindOf: (item: T) => string,
): Pair<T>[] {
  const [a, b] = [before.map(kindOf), after.map(kindOf)];
  // length[i][j]: of the longest common subsequence of a from i on and b from j on
  const length = Array.from({ length: a.length + 1 }, () => new Int32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      length[i]![j] =
        a[i] === b[j]
          ? length[i + 1]![j + 1]! + 1
          : Math.max(length[i + 1]![j]!, length[i]![j + 1]!);
  const pairs: Pair<T>[] = [];
  let [ours, theirs]: [T[], T[]] = [[], []];
  const close = (): void => {
    for (let i = 0; i < Math.max(ours.length, theirs.length); i += 1)
      pairs.push({ before: ours[i] ?? null, after: theirs[i] ?? null });
    [ours, theirs] = [[], []];
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      close();
      pairs.push({ before: before[i++]!, after: after[j++]! });
    } else if (j >= b.length || (i < a.length && length[i + 1]![j]! >= length[i]![j + 1]!))
      ours.push(before[i++]!);
    else theirs.push(after[j++]!);
  }
  close();
  return pairs;
}
