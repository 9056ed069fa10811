// `assay housekeeping`: removes for good what is due, at once; a server does so by itself every day.
import { InvalidArgumentError, type Command, type Option } from 'commander'
import { env, examples, homeOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

export interface HousekeepingOptions extends HomeOptions {
  readonly dryRun: boolean
  readonly json: boolean
  /** Each in days; those of the server, or the usual ones, where they are not given. */
  readonly keepDeleted?: number
  readonly keepResults?: number
  readonly keepUnnamed?: number
  readonly keepDecisions?: number
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

const DAYS_MAX = 36_500

function days(min: number) {
  return (text: string): number => {
    const number = Number(text)
    if (text !== '' && Number.isInteger(number) && number >= min && number <= DAYS_MAX) {
      return number
    }
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${DAYS_MAX}.`)
  }
}

function hour(text: string): number | null {
  if (text === 'never') return null
  const number = Number(text)
  if (text !== '' && Number.isInteger(number) && number >= 0 && number <= 23) return number
  throw new InvalidArgumentError('It is a whole number from 0 to 23, or "never".')
}

function keepOptions(): Option[] {
  return [
    env(
      '--keep-deleted <days>',
      'how long deleted experiments, runs, models and versions can be restored; 0: for good (30)',
      'KEEP_DELETED',
    ).argParser(days(0)),
    env(
      '--keep-results <days>',
      'how long results of pipelines stay after a run last used them; 0: for good (90)',
      'KEEP_RESULTS',
    ).argParser(days(0)),
    env(
      '--keep-unnamed <days>',
      'how long files stay that nothing names; at least 1 (1)',
      'KEEP_UNNAMED',
    ).argParser(days(1)),
    env(
      '--keep-decisions <days>',
      'how long records of decisions stay, then they go without an export; 0: for good (0)',
      'KEEP_DECISIONS',
    ).argParser(days(0)),
  ]
}

/** What `start` takes: the same, and when. */
export function housekeepingOptions(): Option[] {
  return [
    env(
      '--housekeeping-hour <hour>',
      'hour of the day, UTC, at which what is due is removed for good; "never" for not by itself',
      'HOUSEKEEPING_HOUR',
    )
      .argParser(hour)
      .default(3),
    ...keepOptions(),
  ]
}

export function addHousekeepingCommand(program: Command, actions: Actions, then: Then): void {
  const command = program
    .command('housekeeping')
    .description(
      'remove for good what is due, as the server does by itself every day, and say what and why',
    )
    .option('--dry-run', 'say what would go, and change nothing', false)
    .option('--json', 'one JSON object on standard output', false)
    .addOption(homeOption())
  for (const option of keepOptions()) command.addOption(option)
  command
    .addHelpText(
      'after',
      examples('assay housekeeping --dry-run', 'assay housekeeping --keep-deleted 7'),
    )
    .action(then((options: HousekeepingOptions) => actions.housekeeping(options)))
}
