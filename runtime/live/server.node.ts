/**
 * The training page's server: a few files and the runs as JSON, on this machine only. It answers GET from
 * pages it served itself, and reads nothing but the runs' folders.
 */

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RunError } from "../run/errors.js";
import { Runs } from "./runs.node.js";

export interface PageFile {
  readonly type: string;
  readonly content: string;
}

export interface LiveServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface LiveOptions {
  /** Folders of runs, or runs themselves. */
  readonly roots: readonly string[];
  /** 0 takes any free one. */
  readonly port: number;
  /** The page itself, by path: `/`, `/page.js`. */
  readonly files: ReadonlyMap<string, PageFile>;
}

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:";

/** @throws RunError `port-taken` */
export async function serveLive({ roots, port, files }: LiveOptions): Promise<LiveServer> {
  const runs = new Runs(roots);
  const server = createServer((request, response) => {
    const { port: own } = server.address() as AddressInfo;
    const answer = request.method === "GET" && isLocal(request.headers.host, own);
    if (!answer)
      return send(response, 403, "text/plain", "only this machine may ask, and only read");
    const url = new URL(request.url ?? "/", `http://localhost:${own}`);
    respond(url, runs, files, response).catch(() => {
      send(response, 500, "text/plain", "the run cannot be read");
    });
  });
  await listen(server, port);
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${own}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** A page elsewhere could have its name point here; then this header would hold that name. */
const isLocal = (host: string | undefined, port: number): boolean =>
  host === `localhost:${port}` || host === `127.0.0.1:${port}`;

async function respond(
  { pathname, searchParams }: URL,
  runs: Runs,
  files: ReadonlyMap<string, PageFile>,
  response: ServerResponse,
): Promise<void> {
  const json = (value: unknown): void => {
    if (value === null) send(response, 404, "text/plain", "no such run");
    else send(response, 200, "application/json", JSON.stringify(value));
  };
  const name = searchParams.get("run") ?? "";
  const from = Number(searchParams.get("from") ?? 0);
  if (pathname === "/runs") return json(await runs.list());
  if (pathname === "/samples") return json(await runs.samples(name));
  if (pathname === "/metrics")
    return json(await runs.metrics(name, Number.isSafeInteger(from) && from > 0 ? from : 0));
  const file = files.get(pathname);
  if (file) send(response, 200, file.type, file.content);
  else send(response, 404, "text/plain", "no such page");
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-store",
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      fail(
        error.code === "EADDRINUSE"
          ? new RunError({
              code: "port-taken",
              what: `port ${port} is in use`,
              where: "--port",
              help: "choose another --port, or leave it out",
            })
          : error,
      ),
    );
    server.listen(port, "127.0.0.1", done);
  });
}
