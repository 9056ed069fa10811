// What other processes may ask of `work` about files that people bring to learn from.
import type { ChangeBy } from '../access/index.ts'
import type { FileDescription } from './flows/learn-file/describe.ts'
import type { FileQuestion } from './flows/learn-file/question.ts'
import type { PairedDifference } from './flows/predictions.ts'

/** A file that was brought, as it lies in the home directory. */
export interface FileToLearn {
  /** SHA-256 of its bytes. */
  readonly id: string
  /** As the person called it; never a path. */
  readonly name: string
  readonly form: 'csv' | 'csv.gz' | 'parquet'
}

export interface LearningRequest {
  readonly file: FileToLearn
  readonly test?: FileToLearn | undefined
  readonly question: FileQuestion
  /** As `assay learn --goal` takes it. */
  readonly goal?: string | undefined
  readonly seed: number
  /** Register the best as the next version of this model. */
  readonly register?: string | undefined
}

/** The rpc service `learning` of `work`. */
export interface LearningRemote {
  /** Reads a file's columns. Errors: those of `readTableFile`. */
  describe(file: FileToLearn): Promise<FileDescription>
  /** Begins, or puts behind what is being learnt; the id of the pipeline run. Error: `learning_full`. */
  start(request: LearningRequest, by: ChangeBy): Promise<string>
  /** False where there was nothing to stop. */
  cancel(id: string, by: ChangeBy): Promise<boolean>
  /** Runs row by row; empty where they were not measured on the same rows, or it is not known. */
  pairs(runIds: readonly string[]): Promise<readonly PairedDifference[]>
  /** Ids of what is being learnt, then of what waits, in order. */
  pending(): Promise<readonly string[]>
}
