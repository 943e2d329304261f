/** Cycles of directed graphs. */

/**
 * Strongly connected components by Tarjan's algorithm, with an explicit stack: a number for every node.
 * A node that others follow has a larger number than they have, or the same in a cycle.
 */
export function components(
  count: number,
  successors: (node: number) => readonly number[],
): number[] {
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const component = new Array<number>(count).fill(-1);
  const stack: number[] = [];
  let next = 0;
  let found = 0;
  for (let root = 0; root < count; root += 1) {
    if (index[root] !== -1) continue;
    const work: { node: number; at: number; targets: readonly number[] | null }[] = [
      { node: root, at: 0, targets: null },
    ];
    while (work.length > 0) {
      const top = work[work.length - 1]!;
      const { node } = top;
      if (top.targets === null) {
        top.targets = successors(node);
        index[node] = low[node] = next;
        next += 1;
        stack.push(node);
        onStack[node] = 1;
      }
      const { targets } = top;
      let descended = false;
      while (top.at < targets.length) {
        const target = targets[top.at]!;
        top.at += 1;
        if (index[target] === -1) {
          work.push({ node: target, at: 0, targets: null });
          descended = true;
          break;
        }
        if (onStack[target]) low[node] = Math.min(low[node]!, index[target]!);
      }
      if (descended) continue;
      work.pop();
      const parent = work[work.length - 1];
      if (parent) low[parent.node] = Math.min(low[parent.node]!, low[node]!);
      if (low[node] !== index[node]) continue;
      for (;;) {
        const member = stack.pop()!;
        onStack[member] = 0;
        component[member] = found;
        if (member === node) break;
      }
      found += 1;
    }
  }
  return component;
}
