// `assay novelty stream`: noise, drift, recurrence and novelty in a stream of events.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { env, examples } from './options.ts'

export interface NoveltyStreamOptions {
  readonly entity: string
  readonly time: string
  readonly timeUnit: 's' | 'ms' | 'us'
  readonly party?: string
  readonly label?: string
  readonly train?: string
  /** Rows of the file that are taken as normal, where there is no `train`. */
  readonly learn: number
  readonly category?: string
  readonly ignore?: string
  readonly history: boolean
  /** Alerts a thousand records. */
  readonly alerts: number
  /** Records after which a pattern that is not seen sleeps. */
  readonly sleep: number
  readonly seed: number
  readonly state?: string
  readonly saveEvery: number
  readonly json: boolean
}

export interface NoveltyPatternsOptions {
  readonly state: string
  readonly pattern?: string
  readonly says?: 'usual' | 'threat' | 'noise' | 'same'
  /** The pattern that it is the same as. */
  readonly as?: string
  readonly label?: string
  readonly rollBack?: string
  readonly by?: string
  readonly reason?: string
  readonly json: boolean
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

/** Adds `stream` under `novelty`. */
export function addNoveltyStreamCommand(
  novelty: Command,
  act: (file: string, options: NoveltyStreamOptions) => Promise<number>,
  then: Then,
): void {
  novelty
    .command('stream')
    .description('tell noise, drift, recurrence and novelty apart in a stream of events')
    .argument('<file>', 'CSV with a header, or gzip of it, in the order of time')
    .requiredOption(
      '--entity <column>',
      'whose activity an event is: an account, a host, a customer',
    )
    .requiredOption('--time <column>', 'when it happened: ISO 8601 or a number')
    .addOption(
      new Option('--time-unit <unit>', 'what a number in the time column counts')
        .choices(['s', 'ms', 'us'])
        .default('s'),
    )
    .option('--party <column>', 'the other party of an interaction, for features of the graph')
    .option(
      '--label <column>',
      'the class of a known event, where there are several; never judged by',
    )
    .option('--train <file>', 'known events to learn from, instead of the first rows of the file')
    .option('--learn <rows>', 'rows of the file that are known and learnt from', whole(50), 2000)
    .option('--category <columns>', 'numbers that are names of kinds: A,B')
    .option('--ignore <columns>', 'columns to leave out: A,B')
    .option('--no-history', 'leave out what an entity did before, where the fields tell it already')
    .addOption(
      env(
        '--alerts <n>',
        'alerts a thousand records, at most; more are told together',
        'NOVELTY_ALERTS',
      )
        .argParser(whole(1))
        .default(20),
    )
    .option(
      '--sleep <records>',
      'records after which a pattern that is not seen sleeps',
      whole(1),
      4000,
    )
    .option('--seed <n>', 'for all that is random', whole(0), 1)
    .option('--state <directory>', 'keep the memory there, and go on from it')
    .option(
      '--save-every <records>',
      'how often it is kept, besides at the end',
      whole(100),
      20_000,
    )
    .option('--json', 'one JSON object a line, the last of them the summary', false)
    .addHelpText(
      'after',
      examples(
        'assay novelty stream connections.csv.gz --entity host --time at --party peer',
        'assay novelty stream today.csv --train known.csv --label kind --entity account --time at --state memory --json',
      ),
    )
    .action(then((file: string, options: NoveltyStreamOptions) => act(file, options)))
}

/** Adds `patterns` under `novelty`. */
export function addNoveltyPatternsCommand(
  novelty: Command,
  act: (options: NoveltyPatternsOptions) => Promise<number>,
  then: Then,
): void {
  novelty
    .command('patterns')
    .description('look at a kept memory, say what a pattern is, return to an earlier version')
    .requiredOption('--state <directory>', 'where `assay novelty stream` keeps its memory')
    .option('--pattern <id>', 'the pattern that is spoken of')
    .addOption(
      new Option(
        '--says <word>',
        'usual: harmless; threat: stays news; noise: forget it; same: it is --as another',
      ).choices(['usual', 'threat', 'noise', 'same']),
    )
    .option('--as <id>', 'the pattern that it is the same as')
    .option('--label <name>', 'what it is called')
    .addOption(
      new Option('--roll-back <version>', 'make this version the current one').conflicts('pattern'),
    )
    .option('--by <name>', 'who says so')
    .option('--reason <text>', 'why')
    .option('--json', 'one JSON object: patterns and versions, whole', false)
    .addHelpText(
      'after',
      examples(
        'assay novelty patterns --state memory',
        'assay novelty patterns --state memory --pattern P7 --says usual --label "new terminals" --by ada --reason "asked the branch"',
      ),
    )
    .action(then((options: NoveltyPatternsOptions) => act(options)))
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= 1e9) return value
    throw new InvalidArgumentError(`It is a whole number from ${least} on.`)
  }
}
