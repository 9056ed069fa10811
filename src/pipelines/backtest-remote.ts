// What other processes may ask of `work` about back-tests.
import type { ChangeBy } from '../access/index.ts'
import type { CompiledPolicy } from '../decisions/index.ts'
import type { BacktestEvidence, BacktestOver, BacktestProgress } from './flows/backtest.ts'

export interface BacktestAsked {
  /** Name of the policy whose events are looked at. */
  readonly policy: string
  /** How people call what is tested. */
  readonly title: string
  /** The draft; by default the policy as it decides now. */
  readonly draft?: CompiledPolicy | undefined
  /** A version of the policy's model, in the place of the champion. */
  readonly modelVersion?: number | undefined
  /** Event times in [fromUs, toUs); null: from the first, to the last. */
  readonly fromUs: number | null
  readonly toUs: number | null
  readonly over?: BacktestOver | undefined
}

/** A back-test that was asked for since `work` started, or taken up again by it. */
export interface BacktestState {
  readonly id: string
  readonly asked: Omit<BacktestAsked, 'draft'>
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
  readonly progress: BacktestProgress | null
  /** Of the stage that runs, by its pace so far; null where nobody can say. */
  readonly secondsLeft: number | null
  readonly askedAtUs: number
  readonly actor: string
  /** What to tell of one that failed. */
  readonly problem: string | null
  /** Names what was kept of one that is done. */
  readonly hash: string | null
}

/** A finished back-test as the home keeps it. */
export interface KeptBacktest {
  /** Of the evidence: the file has this name. */
  readonly hash: string
  readonly title: string
  readonly actor: string
  readonly atUs: number
  readonly seconds: number
  readonly evidence: BacktestEvidence
}

export type BacktestSummary = Omit<KeptBacktest, 'evidence'> &
  Pick<BacktestEvidence, 'policy' | 'draft' | 'period' | 'over'> & {
    readonly events: number
    readonly changed: number
  }

/** The rpc service `backtests` of `work`. */
export interface BacktestsRemote {
  /** Begins, or puts behind what runs; its id. Error: `backtests_full`. */
  start(asked: BacktestAsked, by: ChangeBy): Promise<string>
  /** False where there was nothing to stop. */
  cancel(id: string): Promise<boolean>
  /** What was asked for since the start, or taken up again by it, newest first. */
  states(): Promise<readonly BacktestState[]>
  /** What is kept, newest first. */
  list(): Promise<readonly BacktestSummary[]>
  kept(hash: string): Promise<KeptBacktest | undefined>
}
