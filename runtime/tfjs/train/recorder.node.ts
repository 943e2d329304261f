/** What a run leaves behind and shows as it goes: `metrics.jsonl`, `loss.svg` and the progress line. */

import { lossChart } from "../../run/loss-chart.js";
import { writeAtomically } from "../../run/files.node.js";
import { runFiles } from "../../run/folder.node.js";
import { loadsOf, routerFigures, showsLoads } from "../../run/loads.js";
import type { MetricRecord } from "../../run/metrics.js";
import { MetricsLog, readMetrics } from "../../run/metrics.node.js";
import { Pace } from "../../run/pace.js";
import { Progress, type ProgressOutput } from "../../run/progress.js";
import { seriesOf } from "../../run/series.js";
import type { Measured } from "./measure.js";
import type { StepResult } from "./step.js";

export interface RecorderOptions {
  readonly folder: string;
  /** Updates made before, and in all. */
  readonly step: number;
  readonly steps: number;
  readonly title: string;
  readonly unit: string;
  /** Losses to draw beside the run's. */
  readonly baselines: (
    measured: Measured | null,
  ) => readonly { readonly name: string; readonly loss: number }[];
  readonly progress: ProgressOutput;
  readonly colour: boolean;
}

const redrawEvery = 10_000; // ms between two drawings of the chart
const recentSteps = 20; // what "the training loss" is the mean of

export class Recorder {
  readonly #records: MetricRecord[];
  readonly #progress: Progress;
  readonly #pace = new Pace(now);
  #drawn = now();
  #measured: Measured | null = null;

  private constructor(
    private readonly options: RecorderOptions,
    private readonly log: MetricsLog,
    records: readonly MetricRecord[],
  ) {
    this.#records = [...records];
    const { steps, progress, colour } = options;
    this.#progress = new Progress({ steps, out: progress, now, color: colour });
  }

  static async open(options: RecorderOptions): Promise<Recorder> {
    const { metrics } = runFiles(options.folder);
    const log = await MetricsLog.open(metrics, options.step);
    return new Recorder(options, log, await readMetrics(metrics));
  }

  /** A step that took in `tokens` has ended; `step` updates are made now. */
  async step(
    step: number,
    tokens: number,
    { loss, rate, gradientNorm, metrics }: StepResult,
  ): Promise<void> {
    this.#pace.tick(tokens);
    const speed = this.#pace.tokensPerSecond;
    await this.#append({
      step,
      loss,
      lr: rate,
      grad_norm: gradientNorm,
      tokens_per_second: Math.round(speed),
      ...routerFigures(loadsOf(metrics), showsLoads(step, this.options.steps)),
    });
    const secondsLeft = this.#pace.secondsFor(this.options.steps - step);
    this.#progress.update({ step, loss, lr: rate, tokensPerSecond: speed, secondsLeft });
    if (now() - this.#drawn > redrawEvery) await this.draw();
  }

  /** A measurement on held-out data. */
  async measured(step: number, measured: Measured): Promise<void> {
    const { loss, accuracy, errors } = measured;
    this.#measured = measured;
    const figures = { ...(accuracy !== null && { accuracy }), ...errors };
    await this.#append({ step, eval_loss: loss, ...figures });
  }

  /** Leaves out of the pace what was done since the last step. */
  pause(): void {
    this.#pace.skip();
  }

  /** A line that stays above the progress line. */
  note(text: string): void {
    this.#progress.note(text);
  }

  /** Mean training loss of the last steps; NaN before the first. */
  get trainingLoss(): number {
    const losses = seriesOf(this.#records, "loss").slice(-recentSteps);
    return losses.reduce((sum, [, loss]) => sum + loss, 0) / losses.length;
  }

  get tokensPerSecond(): number {
    return this.#pace.tokensPerSecond;
  }

  async draw(): Promise<void> {
    const { folder, title, baselines, unit } = this.options;
    const chart = lossChart({
      title,
      training: seriesOf(this.#records, "loss"),
      heldOut: seriesOf(this.#records, "eval_loss"),
      baselines: baselines(this.#measured),
      unit,
    });
    await writeAtomically(runFiles(folder).loss, [chart]);
    this.#drawn = now();
  }

  /** Leaves the progress line standing and closes the log. */
  async close(): Promise<void> {
    this.#progress.done();
    await this.log.close();
  }

  async #append(record: MetricRecord): Promise<void> {
    this.#records.push(record);
    await this.log.append(record);
  }
}

const now = (): number => performance.now();
