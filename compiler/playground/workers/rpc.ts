/** Calls between a page and its workers: a table of functions on one side, promises on the other. */

/** What a worker can be asked. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are each function's own
export type Functions = Readonly<Record<string, (...given: any[]) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly given: readonly unknown[];
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

/** Answers calls from the page. */
export function answer(functions: Functions): void {
  addEventListener("message", ({ data: { id, name, given } }: MessageEvent<Call>) => {
    void (async () => {
      let reply: Answer;
      try {
        reply = { id, value: await functions[name]!(...given) };
      } catch (error) {
        reply = { id, error: error instanceof Error ? error.message : String(error) };
      }
      postMessage(reply);
    })();
  });
}

/** What a worker says on its own. */
export interface Event {
  readonly event: string;
  readonly value: unknown;
}

export class Remote<F extends Functions> {
  private readonly waiting = new Map<number, (reply: Answer) => void>();
  private next = 0;

  constructor(
    private readonly worker: Worker,
    onEvent: (event: Event) => void = () => undefined,
  ) {
    worker.addEventListener("message", ({ data }: MessageEvent<Answer | Event>) => {
      if ("event" in data) return onEvent(data);
      this.waiting.get(data.id)?.(data);
      this.waiting.delete(data.id);
    });
  }

  /** @throws Error with the message of what the function threw */
  call<N extends string & keyof F>(
    name: N,
    ...given: Parameters<F[N]>
  ): Promise<Awaited<ReturnType<F[N]>>> {
    const id = this.next++;
    return new Promise((done, fail) => {
      this.waiting.set(id, (reply) => {
        if ("error" in reply) fail(new Error(reply.error));
        else done(reply.value as Awaited<ReturnType<F[N]>>);
      });
      this.worker.postMessage({ id, name, given } satisfies Call);
    });
  }

  end(): void {
    this.worker.terminate();
  }
}
