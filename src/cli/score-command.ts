// `assay score`: events in bulk.
import type { Command } from 'commander'
import { freshOption, outOption, rejectsOption } from './batch-options.ts'
import { examples, homeOption, projectOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

export interface ScoreOptions extends HomeOptions {
  readonly project: string
  readonly out?: string
  /** CSV of the rows that are refused; beside `out` by default. */
  readonly rejects?: string
  /** Begins anew instead of going on where a run was stopped. */
  readonly fresh?: boolean
  readonly reasons: boolean
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

/** Adds `score`. */
export function addScoreCommand(program: Command, actions: Actions, then: Then): void {
  program
    .command('score')
    .description('score a file of rows with the live model: scores and reasons out')
    .argument(
      '<file>',
      'CSV, gzip CSV, NDJSON or Parquet in the shape of the source, or DATASET@VERSION',
    )
    .addOption(projectOption())
    .addOption(homeOption())
    .addOption(outOption())
    .addOption(rejectsOption())
    .addOption(freshOption())
    .option('--no-reasons', 'leave the reasons out, which is much faster')
    .addHelpText(
      'after',
      examples(
        'assay score payments.csv --out scores.csv',
        'assay score payments@latest --out scores.parquet --no-reasons',
      ),
    )
    .action(then((file: string, options: ScoreOptions) => actions.score(file, options)))
}
