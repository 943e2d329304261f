/**
 * The memory plan of a tape: which values share a buffer. Values go from the largest to the smallest into the
 * smallest buffer that is free for their whole life, so a buffer never grows.
 *
 * Buffers are separate, and not ranges of one: WebGPU counts the use of a whole buffer, so a kernel could not
 * read one range and write another, and kernels that have nothing to do with each other would wait for each other.
 */

export interface Life {
  readonly bytes: number;
  readonly first: number; // the launch that writes it first
  readonly last: number; // the launch that uses it last
}

export interface Plan {
  /** The bytes of each buffer. */
  readonly buffers: readonly number[];
  /** The buffer of each value. */
  readonly places: readonly number[];
  /** The most bytes alive at one launch: what no plan can go below. */
  readonly peak: number;
}

export function planMemory(lives: readonly Life[]): Plan {
  const order = lives.map((_, i) => i).sort((a, b) => lives[b]!.bytes - lives[a]!.bytes || a - b);
  const places = new Array<number>(lives.length).fill(-1);
  const buffers: { readonly bytes: number; readonly held: Life[] }[] = [];
  for (const value of order) {
    const life = lives[value]!;
    const free = ({ held }: { readonly held: readonly Life[] }): boolean =>
      held.every(({ first, last }) => last < life.first || life.last < first);
    let place = buffers.findLastIndex(free); // the smallest: buffers come in falling sizes
    if (place < 0) place = buffers.push({ bytes: life.bytes, held: [] }) - 1;
    buffers[place]!.held.push(life);
    places[value] = place;
  }
  return { buffers: buffers.map(({ bytes }) => bytes), places, peak: peakOf(lives) };
}

function peakOf(lives: readonly Life[]): number {
  const changes = lives.flatMap(({ bytes, first, last }) => [
    [first, bytes] as const,
    [last + 1, -bytes] as const,
  ]);
  changes.sort(([a, x], [b, y]) => a - b || x - y);
  let [alive, most] = [0, 0];
  for (const [, change] of changes) most = Math.max(most, (alive += change));
  return most;
}
