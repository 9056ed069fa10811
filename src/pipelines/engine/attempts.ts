// One attempt of a step, wherever it runs: the port that the runner asks.
import type { StepResult, StepTask } from './step-run.ts'

export interface AttemptTask {
  readonly runId: string
  readonly pipeline: string
  /** Its name in the pipeline. */
  readonly step: string
  readonly attempt: number
  readonly timeoutS: number
  readonly memoryMb: number
  readonly task: StepTask
}

export type AttemptEnd =
  | { readonly end: 'done'; readonly result: StepResult }
  /** `timeout`, `memory` and `cancelled` were ended by force. */
  | {
      readonly end: 'failed' | 'timeout' | 'memory' | 'cancelled'
      readonly problem: string
    }

export interface StepAttempts {
  /**
   * Runs an attempt to its end; never rejects for what the step does. When the signal aborts it is
   * ended by force, and nothing of it runs on once this resolves.
   */
  run(
    task: AttemptTask,
    hooks: { readonly signal: AbortSignal; readonly onFigure: (figure: string) => void },
  ): Promise<AttemptEnd>
}
