/**
 * How long the language server takes from a keystroke to the diagnostics, on a published model.
 *
 *   node build.mjs && node test/bench/keystroke.mjs [KEYSTROKES]
 *
 * A client types into a model of the A1B-7B file over the real protocol, and deletes it again: a word inside a
 * layer's arguments, a line of its own, a comment at the top of the file. The last lines are the table: from
 * sending the change to the arrival of its diagnostics as wall time, and the time that all threads of the server,
 * with those that compile and collect garbage, spent on a processor for it, which other work on the machine
 * disturbs less. The bar is 50 ms.
 */
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "../..");
const path = join(root, "examples/linear-moe/a1b-7b.lsm");
const uri = pathToFileURL(path).href;
const text = readFileSync(path, "utf8");
const wanted = Number(process.argv[2] ?? 200);

const server = spawn(process.execPath, [join(root, "dist/lsm.js"), "lsp"], {
  stdio: ["pipe", "pipe", "inherit"],
});
let buffer = Buffer.alloc(0);
let arrived = () => undefined;
server.stdout.on("data", (bytes) => {
  buffer = Buffer.concat([buffer, bytes]);
  for (;;) {
    const end = buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/.exec(buffer.toString("utf8", 0, end))[1]);
    if (buffer.length < end + 4 + length) return;
    const message = JSON.parse(buffer.toString("utf8", end + 4, end + 4 + length));
    buffer = buffer.subarray(end + 4 + length);
    arrived(message);
  }
});

function send(message) {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

const answer = (fits) =>
  new Promise((resolve) => {
    arrived = (message) => fits(message) && resolve(message);
  });

const diagnosed = (version) =>
  answer(
    ({ method, params }) =>
      method === "textDocument/publishDiagnostics" && params.version === version,
  );

/** Time that all threads of the server have had so far, in ms; NaN where /proc does not tell. */
function processorTime() {
  try {
    const tasks = `/proc/${server.pid}/task`;
    const spent = readdirSync(tasks).map((task) =>
      Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]),
    );
    return spent.reduce((sum, time) => sum + time, 0) / 1e6;
  } catch {
    return NaN;
  }
}

function positionOf(offset) {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length - 1, character: lines.at(-1).length };
}

/** Keystrokes: what is typed at a place, and then deleted, letter by letter. */
function* typing() {
  const places = [
    [
      text.indexOf("heads: 16", text.indexOf("model A1B_7B_GLA ")) + "heads: 16".length,
      ", value: 64",
    ],
    [text.indexOf("language_model", text.indexOf("model A1B_7B_RetNet ")), "width = 2048\n  "],
    [0, "// typed\n"],
  ];
  for (;;)
    for (const [offset, word] of places) {
      for (let i = 0; i < word.length; i += 1)
        yield { from: positionAfter(offset, word.slice(0, i)), deleted: null, text: word[i] };
      for (let i = word.length - 1; i >= 0; i -= 1)
        yield {
          from: positionAfter(offset, word.slice(0, i)),
          deleted: positionAfter(offset, word.slice(0, i + 1)),
          text: "",
        };
    }
}

function positionAfter(offset, typed) {
  const { line, character } = positionOf(offset);
  const lines = typed.split("\n");
  return lines.length === 1
    ? { line, character: character + typed.length }
    : { line: line + lines.length - 1, character: lines.at(-1).length };
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

const ready = answer(({ id }) => id === 1);
send({ id: 1, method: "initialize", params: { processId: null, rootUri: null, capabilities: {} } });
await ready;
send({ method: "initialized", params: {} });
let opened = performance.now();
const first = diagnosed(1);
send({
  method: "textDocument/didOpen",
  params: { textDocument: { uri, languageId: "lsm", version: 1, text } },
});
await first;
opened = performance.now() - opened;

const wall = [];
const processor = [];
let version = 1;
for (const { from, deleted, text: typed } of typing()) {
  if (wall.length === wanted) break;
  version += 1;
  const told = diagnosed(version);
  const [start, spent] = [performance.now(), processorTime()];
  send({
    method: "textDocument/didChange",
    params: {
      textDocument: { uri, version },
      contentChanges: [{ range: { start: from, end: deleted ?? from }, text: typed }],
    },
  });
  await told;
  wall.push(performance.now() - start);
  await new Promise((resolve) => setTimeout(resolve, 10)); // a running thread's time is not told yet
  processor.push(processorTime() - spent);
}
server.kill();

console.log(
  `a keystroke in examples/linear-moe/a1b-7b.lsm, ${wanted} of them; opened in ${opened.toFixed(0)} ms`,
);
for (const [name, times] of [
  ["wall", wall],
  ["processor", processor],
]) {
  times.sort((a, b) => a - b);
  const shown = [0.5, 0.95, 1].map((q) => `${quantile(times, q).toFixed(1)} ms`.padStart(9));
  console.log(`${name.padEnd(10)} median ${shown[0]}   p95 ${shown[1]}   most ${shown[2]}`);
}
