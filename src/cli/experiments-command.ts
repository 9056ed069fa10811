// `assay experiments`: experiments and runs, from the terminal.
import { InvalidArgumentError, type Command } from 'commander'
import { env, examples, homeOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

/** What a command under `experiments` does. */
export type ExperimentsAct =
  | { readonly act: 'list' }
  | { readonly act: 'runs'; readonly experiment: string | undefined }
  | { readonly act: 'show'; readonly run: string }
  | { readonly act: 'compare' | 'delete' | 'restore'; readonly runs: readonly string[] }
  | { readonly act: 'purge' }

/** Each command has those that it declares. */
export interface ExperimentsOptions extends HomeOptions {
  readonly json: boolean
  readonly csv?: boolean
  readonly filter?: string
  readonly order?: string
  readonly columns?: string
  readonly limit?: number
  readonly deleted?: boolean
  /** Such as 30d. */
  readonly olderThan?: string
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

const LIMIT_MAX = 50_000

function limit(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > LIMIT_MAX) {
    throw new InvalidArgumentError(`It is a whole number from 1 to ${LIMIT_MAX}.`)
  }
  return number
}

/** Adds the commands under `experiments`. */
export function addExperimentsCommands(program: Command, actions: Actions, then: Then): void {
  const experiments = program.command('experiments').description('experiments and their runs')
  const json = ['--json', 'print JSON', false] as const
  const only = (act: ExperimentsAct['act']) =>
    then((options: ExperimentsOptions) => actions.experiments({ act } as ExperimentsAct, options))
  experiments
    .command('list')
    .description('list experiments with the number of their runs')
    .option('--deleted', 'those that were deleted and can be restored', false)
    .option(...json)
    .addOption(homeOption())
    .addHelpText('after', examples('assay experiments list'))
    .action(only('list'))
  addRuns(experiments, actions, then)
  experiments
    .command('show')
    .description('show one run: where it came from, its parameters and metrics')
    .argument('<run>', 'its id')
    .option(...json)
    .addOption(homeOption())
    .addHelpText('after', examples('assay experiments show run_01jd8q…'))
    .action(
      then((run: string, options: ExperimentsOptions) =>
        actions.experiments({ act: 'show', run }, options),
      ),
    )
  const several = {
    compare: 'put runs side by side: what differs, and which is best',
    delete: 'delete runs; they can be restored until they are purged',
    restore: 'restore deleted runs',
  } as const
  for (const [act, description] of Object.entries(several)) {
    experiments
      .command(act)
      .description(description)
      .argument('<runs...>', 'ids of runs')
      .option(...json)
      .addOption(homeOption())
      .addHelpText('after', examples(`assay experiments ${act} run_01jd8q… run_01jd9x…`))
      .action(
        then((runs: string[], options: ExperimentsOptions) =>
          actions.experiments({ act: act as keyof typeof several, runs }, options),
        ),
      )
  }
  experiments
    .command('purge')
    .description('remove for good what was deleted, with its files; versions keep their runs')
    .requiredOption('--older-than <duration>', 'deleted for at least so long: 30d, 12h')
    .option(...json)
    .addOption(homeOption())
    .addHelpText('after', examples('assay experiments purge --older-than 30d'))
    .action(only('purge'))
}

function addRuns(experiments: Command, actions: Actions, then: Then): void {
  experiments
    .command('runs')
    .description('list runs, newest first')
    .argument('[experiment]', 'name or id; every experiment by default')
    .addOption(
      env('--filter <text>', "as over the API: metrics.auc > 0.9 AND params.depth = '6'", 'FILTER'),
    )
    .addOption(env('--order <field>', 'metrics.auc desc, attributes.run_name', 'ORDER'))
    .addOption(
      env(
        '--columns <keys>',
        'metrics.auc,params.depth,attributes.status; metrics.* for all; the usual ones by default',
        'COLUMNS',
      ),
    )
    .addOption(env('--limit <n>', 'at most so many', 'LIMIT').argParser(limit).default(100))
    .option('--deleted', 'those that were deleted and can be restored', false)
    .option('--json', 'print JSON', false)
    .option('--csv', 'print CSV', false)
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples(
        'assay experiments runs card-fraud --order "metrics.average_precision desc" --limit 10',
        `assay experiments runs --filter "metrics.auc > 0.9 OR tags.team = 'risk'" --columns metrics.*,params.* --csv`,
      ),
    )
    .action(
      then((experiment: string | undefined, options: ExperimentsOptions) =>
        actions.experiments({ act: 'runs', experiment }, options),
      ),
    )
}
