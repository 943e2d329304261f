/**
 * The progress line: redrawn in place on a terminal, at most ten times a second; elsewhere a plain line now and then.
 * What does not fit the terminal's width is left out, the least needed first.
 */

/** Where the line goes: `process.stderr` has all of it. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** Steps in all. */
  readonly steps: number;
  readonly out: ProgressOutput;
  /** The time in milliseconds, as `performance.now` gives it. */
  readonly now: () => number;
  /** Whether to colour on a terminal; give false when `NO_COLOR` is set. */
  readonly color: boolean;
}

export interface ProgressState {
  /** Updates made. */
  readonly step: number;
  /** Nats a token. */
  readonly loss: number;
  readonly lr: number;
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

const REDRAW = 100; // ms between two drawings on a terminal
const REPORT = 5000; // ms between two lines elsewhere

export class Progress {
  #state: ProgressState | null = null;
  #drawn = -Infinity; // when the line was last written
  #shown: ProgressState | null = null; // and what it said

  constructor(readonly options: ProgressOptions) {}

  update(state: ProgressState): void {
    this.#state = state;
    const due = this.#drawn + (this.options.out.isTTY ? REDRAW : REPORT);
    if (this.options.now() >= due) this.#draw();
  }

  /** Writes a line of its own that stays, above the progress line. */
  note(text: string): void {
    const { out } = this.options;
    out.write(out.isTTY && this.#shown ? `\r\u001b[K${text}\n` : `${text}\n`);
    if (out.isTTY && this.#shown) this.#draw();
  }

  /** Writes the last state and leaves it standing. */
  done(): void {
    if (this.#state !== this.#shown) this.#draw();
    if (this.options.out.isTTY && this.#shown) this.options.out.write("\n");
    this.#shown = null;
    this.#state = null;
  }

  #draw(): void {
    if (this.#state === null) return;
    const { out, steps, now, color } = this.options;
    if (out.isTTY) {
      const line = fit(parts(this.#state, steps), (out.columns || 80) - 1);
      out.write(`\r${line.map((part) => (color ? paint(part) : part.text)).join("  ")}\u001b[K`);
    } else {
      const plain = parts(this.#state, steps).filter((part) => part.kind !== "bar");
      out.write(`${plain.map((part) => part.text).join("  ")}\n`);
    }
    this.#drawn = now();
    this.#shown = this.#state;
  }
}

interface Part {
  readonly kind: "step" | "bar" | "loss" | "lr" | "speed" | "left";
  readonly text: string;
}

/** What gives way first when the line is too long. */
const DISPENSABLE: readonly Part["kind"][] = ["bar", "lr", "speed", "left", "loss"];

function parts(
  { step, loss, lr, tokensPerSecond, secondsLeft }: ProgressState,
  steps: number,
): Part[] {
  return [
    { kind: "step", text: `step ${String(step).padStart(String(steps).length)}/${steps}` },
    { kind: "bar", text: bar(step / steps, 20) },
    { kind: "loss", text: `loss ${loss.toFixed(3)}` },
    { kind: "lr", text: `lr ${lr.toExponential(2)}` },
    { kind: "speed", text: `${rate(tokensPerSecond)} tokens/s` },
    { kind: "left", text: `${duration(secondsLeft)} left` },
  ];
}

function fit(line: readonly Part[], width: number): Part[] {
  let kept = [...line];
  const length = () => kept.reduce((sum, part) => sum + part.text.length, 2 * (kept.length - 1));
  for (const kind of DISPENSABLE)
    if (length() > width) kept = kept.filter((part) => part.kind !== kind);
  return length() > width
    ? kept.map((part) => ({ ...part, text: part.text.slice(0, Math.max(0, width)) }))
    : kept;
}

function bar(share: number, width: number): string {
  const filled = Math.max(0, Math.min(width, Math.round(share * width)));
  return "━".repeat(filled) + "─".repeat(width - filled);
}

function paint({ kind, text }: Part): string {
  if (kind === "loss") return `\u001b[1m${text}\u001b[22m`;
  if (kind === "bar")
    return text.replace(/━+/, "\u001b[36m$&\u001b[39m").replace(/─+/, "\u001b[2m$&\u001b[22m");
  return kind === "step" ? text : `\u001b[2m${text}\u001b[22m`;
}

function rate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)}M`;
  return perSecond >= 1e4 ? `${(perSecond / 1e3).toFixed(1)}k` : perSecond.toFixed(0);
}

/** `0:07`, `12:30`, `3:05:00`; `–:––` when unknown. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–:––";
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  const two = (n: number) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
