// `assay novelty`: what was never seen before, in sessions of events and in streams.
import { InvalidArgumentError, type Command } from 'commander'
import { env, examples } from './options.ts'
import {
  addNoveltyPatternsCommand,
  addNoveltyStreamCommand,
  type NoveltyPatternsOptions,
  type NoveltyStreamOptions,
} from './novelty-stream-command.ts'
import type { Actions } from './program.ts'

export interface NoveltySessionsOptions {
  readonly train: string
  readonly testNormal: string
  readonly testAbnormal: string
  readonly out?: string
  /** Share of normal sessions that may be called unknown. */
  readonly budget: number
  readonly json: boolean
}

export interface NoveltyActions {
  noveltySessions(options: NoveltySessionsOptions): Promise<number>
  noveltyStream(file: string, options: NoveltyStreamOptions): Promise<number>
  noveltyPatterns(options: NoveltyPatternsOptions): Promise<number>
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

export function addNoveltyCommands(program: Command, actions: Actions, then: Then): void {
  const novelty = program
    .command('novelty')
    .description('what was never seen before: in sessions of events, and in streams')

  novelty
    .command('sessions')
    .description('learn which event sequences are normal, and judge sessions by them')
    .requiredOption(
      '--train <file>',
      'normal sessions, one a line: event ids parted by spaces, or gzip of it',
    )
    .requiredOption('--test-normal <file>', 'normal sessions that were not learnt')
    .requiredOption('--test-abnormal <file>', 'sessions in which something went wrong')
    .option('--out <file>', 'write the score of each session and its evidence (CSV or Parquet)')
    .addOption(
      env(
        '--budget <share>',
        'share of normal sessions that may be called unknown',
        'NOVELTY_BUDGET',
      )
        .argParser(share)
        .default(0.001),
    )
    .option('--json', 'end with one line of JSON', false)
    .addHelpText(
      'after',
      examples(
        'assay novelty sessions --train normal.txt.gz --test-normal held-back.txt --test-abnormal failed.txt',
        'assay novelty sessions --train a.txt --test-normal b.txt --test-abnormal c.txt --out scores.csv --json',
      ),
    )
    .action(then((options: NoveltySessionsOptions) => actions.noveltySessions(options)))

  addNoveltyStreamCommand(novelty, (file, options) => actions.noveltyStream(file, options), then)
  addNoveltyPatternsCommand(novelty, (options) => actions.noveltyPatterns(options), then)
}

function share(text: string): number {
  const value = Number(text)
  if (text !== '' && value > 0 && value < 1) return value
  throw new InvalidArgumentError('It is a share between 0 and 1, such as 0.001.')
}
