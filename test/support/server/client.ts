/** A client of the language server: JSON-RPC over the standard streams of a process, as an editor speaks it. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class Client {
  readonly notifications: Message[] = [];
  readonly ended: Promise<number | null>;
  stderr = "";
  private readonly process: ChildProcess;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Set<() => void>();
  private buffer = Buffer.alloc(0);
  private count = 0;

  /** @param program the server's, from the repository's root */
  constructor(program = "dist/lsm.js") {
    const path = join(import.meta.dirname, "../../..", program);
    this.process = spawn(process.execPath, [path, "lsp", "--stdio"]);
    this.process.stdout!.on("data", (bytes: Buffer) => this.receive(bytes));
    this.process.stderr!.on("data", (bytes: Buffer) => (this.stderr += bytes.toString()));
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
  }

  request<T>(method: string, params: unknown): Promise<T> {
    const id = ++this.count;
    const answer = new Promise<unknown>((resolve, reject) =>
      this.waiting.set(id, { resolve, reject }),
    );
    this.send({ id, method, params });
    return answer as Promise<T>;
  }

  notify(method: string, params: unknown): void {
    this.send({ method, params });
  }

  send(message: object): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.raw(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  /** Writes whatever it is given. */
  raw(text: string): void {
    this.process.stdin!.write(text);
  }

  /** Waits for a notification, also one that has come already. */
  async notification<T>(method: string, fits: (params: T) => boolean): Promise<T> {
    for (;;) {
      const at = this.notifications.findIndex(
        (each) => each.method === method && fits(each.params as T),
      );
      if (at >= 0) return this.notifications.splice(at, 1)[0]!.params as T;
      await new Promise<void>((resolve) => this.listeners.add(resolve));
    }
  }

  async stop(): Promise<number | null> {
    await this.request("shutdown", null);
    this.notify("exit", null);
    return this.ended;
  }

  kill(): void {
    this.process.kill();
  }

  private receive(bytes: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, bytes]);
    for (;;) {
      const end = this.buffer.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/.exec(this.buffer.toString("utf8", 0, end))![1]);
      const start = end + 4;
      if (this.buffer.length < start + length) return;
      const message = JSON.parse(this.buffer.toString("utf8", start, start + length)) as Message;
      this.buffer = this.buffer.subarray(start + length);
      this.accept(message);
    }
  }

  private accept(message: Message): void {
    if (message.method !== undefined) {
      if (message.id !== undefined) this.send({ id: message.id, result: null });
      this.notifications.push(message);
      for (const listener of this.listeners) listener();
      this.listeners.clear();
      return;
    }
    const waiting = this.waiting.get(message.id!);
    this.waiting.delete(message.id!);
    if (message.error) waiting?.reject(new Error(message.error.message));
    else waiting?.resolve(message.result);
  }
}
