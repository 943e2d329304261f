/**
 * A training run from its first line to its last: data, weights, steps, measurements, checkpoints, and a
 * text at the end. Emitted trainers call it, and so does `lsm train`.
 *
 * A run that goes on from a checkpoint makes the very steps that it would have made uninterrupted: weights
 * and moments are stored as they are, and all else (rate, data, draws) follows from the number of the step.
 */

import { resolve } from "node:path";
import type { Plain } from "../../checkpoint/checkpoint.js";
import { writeCheckpoint } from "../../checkpoint/checkpoint.node.js";
import type { Baselines } from "../../data/baselines.js";
import { BatchStream } from "../../data/batches.js";
import { type Dataset, dataChanged } from "../../data/dataset.js";
import { type OpenedData, type OpenedTokens, openData } from "../../data/open.node.js";
import { RunError } from "../../run/errors.js";
import { writeAtomically } from "../../run/files.node.js";
import { runFiles } from "../../run/folder.node.js";
import { duration, type ProgressOutput } from "../../run/progress.js";
import { type StopListener, listenForStop } from "../../run/stop.node.js";
import { type Backend, type BackendName, chooseBackend } from "../backend.js";
import type { Measured } from "./measure.js";
import { type OpenedRun, openRun } from "./open-run.node.js";
import { Recorder } from "./recorder.node.js";
import { modelRows, row } from "./report.js";
import type { TrainSettings } from "./settings.js";
import { type TrainState, freeState, freshState, stateFrom, storeState } from "./state.js";
import { type StepResult, trainStep } from "./step.js";
import { seriesTask } from "./tasks/series.js";
import type { Task } from "./tasks/task.js";
import { tokensTask } from "./tasks/tokens.js";
import type { TensorMap, Trainable } from "./trainable.js";

export interface RunOptions {
  /** The program's text, which every checkpoint carries. */
  readonly source?: string;
  /** The folder that the data's relative paths start from; default the current one. */
  readonly base?: string;
  /** Default a new folder `runs/<settings.name>`. */
  readonly run?: OpenedRun;
  readonly backend?: BackendName;
  /** The compiler's version, and whatever a resumed run is to know of this one. */
  readonly compiler?: string;
  readonly notes?: Readonly<Record<string, Plain>>;
  /** What is said first, in place of the model's name and size. */
  readonly about?: readonly string[];
  /** Commands to name when the run stops and when it ends. */
  readonly commands?: { readonly resume: string; readonly generate: string };
  readonly say?: (line: string) => void;
  readonly progress?: ProgressOutput;
  readonly colour?: boolean;
  /** Told the weights whenever held-out data was measured on the way, to try them on something. */
  readonly onMeasured?: (
    step: number,
    backend: Backend,
    weights: TensorMap,
    data: OpenedData,
  ) => Promise<void>;
  /** Writes a text with the final weights. */
  readonly write?: (backend: Backend, weights: TensorMap, data: OpenedData) => Promise<void>;
}

export interface RunResult {
  readonly folder: string;
  readonly checkpoint: string;
  /** Updates made. */
  readonly step: number;
  /** 0, or what shells expect of a run that a signal stopped. */
  readonly exitCode: number;
  readonly trainingLoss: number;
  /** Null when nothing is held out, or the run was stopped. */
  readonly heldOut: Measured | null;
  readonly baselines: Baselines | null;
}

/** @throws RunError for whatever stands in the way; checkpoints written before stay whole */
export async function runTraining(
  trainable: Trainable,
  settings: TrainSettings,
  options: RunOptions = {},
): Promise<RunResult> {
  const say = options.say ?? ((line) => void process.stdout.write(`${line}\n`));
  const run = options.run ?? (await openRun({ name: settings.name }));
  for (const line of options.about ?? modelRows(trainable, settings.optimizer)) say(line);
  const backend = await chooseBackend(options.backend);
  say(row("backend", backend.why.replace(/^backend /, "")));
  const data = await openData(settings.data, options.base ?? process.cwd(), settings.seed);
  if (data.kind === "tokens") checkVocabulary(trainable, data);
  const task = data.kind === "tokens" ? tokensTask(data) : seriesTask(data);
  for (const line of task.about) say(line);
  for (const note of run.notes) say(row("note", note));
  const session = new RunSession(trainable, settings, options, run, backend, task, say);
  return session.run();
}

/** A step whose result is not there yet: where steps are recorded, the next is prepared while a GPU is at it. */
interface Running {
  readonly step: number;
  readonly tokens: number;
  readonly result: Promise<StepResult>;
}

class RunSession {
  private readonly state: TrainState;
  private readonly batches: BatchStream;
  private readonly files: ReturnType<typeof runFiles>;
  private step: number;

  constructor(
    private readonly trainable: Trainable,
    private readonly settings: TrainSettings,
    private readonly options: RunOptions,
    private readonly opened: OpenedRun,
    private readonly backend: Backend,
    private readonly task: Task,
    private readonly say: (line: string) => void,
  ) {
    const { tf } = backend;
    const { parameters, batch } = trainable;
    const { saved } = opened;
    this.files = runFiles(opened.folder);
    this.step = saved?.checkpoint.step ?? 0;
    this.state = saved
      ? stateFrom(tf, parameters, saved.checkpoint, saved.path, settings.optimizer)
      : freshState(tf, parameters, settings.seed, settings.optimizer);
    const rows = batch * (settings.accumulate ?? 1);
    const { data } = task;
    const train: Dataset = data.train; // of whichever kind
    this.batches = new BatchStream(train, rows, saved?.checkpoint.data?.position);
    const changed = saved?.checkpoint.data && dataChanged(saved.checkpoint.data, data.train);
    if (changed) say(row("warning", changed));
  }

  async run(): Promise<RunResult> {
    const { settings, opened, task, options } = this;
    const { data } = task;
    await this.describe();
    this.say(row("run", `${opened.folder}${this.step > 0 ? `, on from step ${this.step}` : ""}`));
    const recorder = await Recorder.open({
      folder: opened.folder,
      step: this.step,
      steps: settings.steps,
      title: this.trainable.model,
      unit: task.unit,
      baselines: task.baselines,
      progress: options.progress ?? process.stderr,
      colour: options.colour ?? false,
    });
    if (this.backend.recorder) this.backend.recorder.tell = (line) => recorder.note(line);
    const stop = listenForStop((signal) => recorder.note(`${signal}: saving after this step …`));
    const began = performance.now();
    const first = this.step;
    try {
      await this.train(recorder, stop);
      const finished = this.step >= settings.steps;
      const checkpoint = await this.save(finished);
      const heldOut = finished ? await this.measure(recorder, "at the end") : null;
      const finish = finished ? await task.finish(this.trained, opened.folder) : null;
      await recorder.draw();
      await recorder.close();
      const { trainingLoss, tokensPerSecond } = recorder;
      const seconds = (performance.now() - began) / 1000;
      if (finished) {
        const made = this.step - first;
        const pace = `${made} steps in ${duration(seconds)}, ${Math.round(tokensPerSecond)} tokens/s`;
        this.say(row("done", made > 0 ? pace : "the run had ended already"));
        for (const line of task.ending(trainingLoss, heldOut)) this.say(line);
        for (const line of finish?.lines ?? []) this.say(line);
        const files = ["metrics.jsonl", "loss.svg", ...(finish?.files ?? []), "checkpoints"];
        this.say(row("run", `${opened.folder}: ${files.join(", ")}`));
        if (options.commands && (data.tokenizer ?? data.kind === "series"))
          this.say(row("write", options.commands.generate));
        await options.write?.(this.backend, this.state.weights, data);
      } else {
        this.say(row("stopped", `at step ${this.step} of ${settings.steps}, saved ${checkpoint}`));
        if (options.commands) this.say(row("go on", options.commands.resume));
      }
      return {
        folder: opened.folder,
        checkpoint,
        step: this.step,
        exitCode: finished ? 0 : stop.exitCode,
        trainingLoss,
        heldOut,
        baselines: task.counted,
      };
    } catch (error) {
      await recorder.close();
      throw error;
    } finally {
      stop.dispose();
      freeState(this.state);
    }
  }

  private async train(recorder: Recorder, stop: StopListener): Promise<void> {
    const { trainable, settings, backend, state, batches } = this;
    const { steps, evaluateEvery, checkpointEvery } = settings;
    recorder.pause();
    let running: Running | null = null;
    const settle = async (): Promise<void> => {
      if (running === null) return;
      const { step, tokens, result } = running;
      running = null;
      await recorder.step(step, tokens, await result);
    };
    while (this.step < steps && stop.signal === null) {
      const batch = batches.next();
      const result = trainStep(backend, trainable, settings, state, batch, this.step);
      result.catch(() => undefined); // it is heard when it is settled
      await settle(); // the one before
      this.step++;
      running = { step: this.step, tokens: batch.rows * batch.seq, result };
      const more = this.step < steps;
      const measures = more && evaluateEvery !== null && this.step % evaluateEvery === 0;
      const saves = more && checkpointEvery !== null && this.step % checkpointEvery === 0;
      if (!state.recorded || measures || saves) await settle();
      if (more) {
        if (measures) {
          await this.measureOnTheWay(recorder);
          const { data } = this.task;
          await this.options.onMeasured?.(this.step, this.backend, this.state.weights, data);
        }
        if (saves) await this.save(false);
        if (measures || saves) recorder.pause();
      }
      await new Promise(setImmediate); // signals are only heard between turns of the event loop
    }
    await settle();
  }

  private get trained() {
    return { backend: this.backend, trainable: this.trainable, weights: this.state.weights };
  }

  private async measureOnTheWay(recorder: Recorder): Promise<void> {
    const measured = await this.measure(recorder, "on the way");
    if (measured !== null) recorder.note(`step ${this.step}: ${this.task.note(measured)}`);
  }

  private async measure(
    recorder: Recorder,
    when: "on the way" | "at the end",
  ): Promise<Measured | null> {
    const measured = await this.task.measure(this.trained, when);
    if (measured !== null) await recorder.measured(this.step, measured);
    return measured;
  }

  /** `model.lsm` and `config.json`: what the run is, for whoever finds its folder. */
  private async describe(): Promise<void> {
    const { settings, trainable, options, backend } = this;
    const config = {
      model: trainable.model,
      train: settings,
      batch: trainable.batch,
      backend: backend.name,
      base: resolve(options.base ?? process.cwd()),
      compiler: options.compiler ?? null,
    };
    await writeAtomically(this.files.config, [`${JSON.stringify(config, null, 2)}\n`]);
    if (options.source !== undefined) await writeAtomically(this.files.source, [options.source]);
  }

  private async save(final: boolean): Promise<string> {
    const { settings, trainable, options, batches } = this;
    const { data } = this.task;
    const { schedule, optimizer, steps, seed } = settings;
    const checkpoint = {
      source: options.source ?? "",
      model: trainable.model,
      train: settings.name,
      step: this.step,
      ...(await storeState(this.state)),
      schedule: { ...schedule, lr: optimizer.lr, steps },
      data: { position: batches.position, seed, fingerprint: data.train.fingerprint },
      random: {},
      tokenizer: data.tokenizer?.describe() ?? null,
      compiler: options.compiler ?? "",
      notes: { ...options.notes, ...this.task.notes },
    };
    return writeCheckpoint(this.files.checkpoints, checkpoint, { final });
  }
}

function checkVocabulary({ model, vocabulary }: Trainable, { train }: OpenedTokens): void {
  if (train.vocab <= vocabulary) return;
  throw new RunError({
    code: "vocabulary-too-small",
    what: `the data has ${train.vocab} different ids, and the model takes ${vocabulary}`,
    where: `model ${model}`,
    help: `make the model's \`vocab\` ${train.vocab} or more`,
  });
}
