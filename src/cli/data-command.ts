// `assay data`: datasets, their versions, and what lies between two of them.
import { InvalidArgumentError, type Command } from 'commander'
import { env, examples, homeOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

export interface DataOptions extends HomeOptions {
  readonly json: boolean
  /** Why; of commands that change something. */
  readonly reason?: string
}

/** One thing that can be done with datasets. Versions are named as people name them. */
export type DataAct =
  | { readonly act: 'list' }
  | { readonly act: 'versions'; readonly dataset: string; readonly limit: number }
  | { readonly act: 'show'; readonly dataset: string; readonly version: string }
  | {
      readonly act: 'diff'
      readonly dataset: string
      readonly before: string
      readonly after: string
      readonly rows: number
      readonly profile: boolean
    }
  | {
      readonly act: 'tag'
      readonly dataset: string
      readonly tag: string
      readonly version: string
    }
  | { readonly act: 'untag'; readonly dataset: string; readonly tag: string }
  | {
      readonly act: 'hold'
      readonly dataset: string
      /** Undefined: all of the dataset. */
      readonly version?: string
      /** A day, YYYY-MM-DD, UTC. */
      readonly until?: string
    }
  | { readonly act: 'release'; readonly dataset: string; readonly hold: string }
  | { readonly act: 'rollback'; readonly dataset: string; readonly version: string }
  | {
      readonly act: 'retention'
      readonly dataset: string
      /** Undefined of both: what is set now is shown. */
      readonly versions?: number
      readonly days?: number
    }
  | { readonly act: 'clean'; readonly dryRun: boolean }
  | {
      readonly act: 'export'
      readonly dataset: string
      readonly version: string
      readonly out: string
    }

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

/** `payments`, `payments@3`, `payments@training-2026-10`: a dataset and a version of it. */
export function parseNamed(text: string): { dataset: string; version: string | undefined } {
  const at = text.indexOf('@')
  if (at < 0) return { dataset: text, version: undefined }
  return { dataset: text.slice(0, at), version: text.slice(at + 1) }
}

/** `3v` or `30d`: how many versions, or the versions of how many days. */
export function parseKeep(text: string): { versions?: number; days?: number } {
  const [, digits, unit] = /^(\d{1,6})(v|d)$/.exec(text) ?? []
  if (digits === undefined) {
    throw new InvalidArgumentError('Write 5v for the newest five versions, or 90d for 90 days.')
  }
  return unit === 'v' ? { versions: Number(digits) } : { days: Number(digits) }
}

function keeps(text: string, before: ReturnType<typeof parseKeep> | undefined) {
  return { ...before, ...parseKeep(text) }
}

function rowCount(text: string): number {
  const rows = Number(text)
  if (Number.isInteger(rows) && rows >= 0 && rows <= 100) return rows
  throw new InvalidArgumentError('It is a whole number from 0 to 100.')
}

function limit(text: string): number {
  const wanted = Number(text)
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= 1000) return wanted
  throw new InvalidArgumentError('It is a whole number from 1 to 1000.')
}

/** Adds the commands under `data`. */
export function addDataCommands(data: Command, actions: Actions, then: Then): void {
  const command = (name: string, description: string) =>
    data
      .command(name)
      .description(description)
      .addOption(homeOption())
      .option('--json', 'one JSON object on standard output', false)
  const reason = (of: Command) => of.option('--reason <text>', 'why; kept in the audit log')
  const requiredReason = (of: Command) =>
    of.requiredOption('--reason <text>', 'why; kept in the audit log')
  const named = ['<dataset>', 'NAME or NAME@VERSION: a number, latest, a tag, or a hash'] as const
  const act = <O extends DataOptions>(made: DataAct, { home, json, reason: why }: O) =>
    actions.data(made, { home, json, ...(why !== undefined && { reason: why }) })

  command('list', 'list the datasets of a home')
    .addHelpText('after', examples('assay data list --json'))
    .action(then((options: DataOptions) => act({ act: 'list' }, options)))
  command('versions', 'list the versions of a dataset, newest first, with tags and holds')
    .argument('<dataset>')
    .option('--limit <n>', 'how many', limit, 20)
    .addHelpText('after', examples('assay data versions payments'))
    .action(
      then((dataset: string, options: DataOptions & { limit: number }) =>
        act({ act: 'versions', dataset, limit: options.limit }, options),
      ),
    )
  command('show', 'show one version: its snapshots, contract and profile')
    .argument(...named)
    .addHelpText('after', examples('assay data show payments', 'assay data show payments@3'))
    .action(
      then((text: string, options: DataOptions) => {
        const { dataset, version = 'latest' } = parseNamed(text)
        return act({ act: 'show', dataset, version }, options)
      }),
    )
  command('diff', 'compare two versions: rows, schema, distributions')
    .argument('<dataset>')
    .argument('<before>', 'a number, latest, a tag, or a hash')
    .argument('<after>', 'the same')
    .option('--rows <n>', 'rows of each kind to show, at most 100', rowCount, 5)
    .option('--profile', 'compare the distribution of each column', false)
    .addHelpText('after', examples('assay data diff payments 3 latest --rows 20 --profile'))
    .action(
      then(
        (
          dataset: string,
          before: string,
          after: string,
          options: DataOptions & { rows: number; profile: boolean },
        ) => {
          const { rows, profile } = options
          return act({ act: 'diff', dataset, before, after, rows, profile }, options)
        },
      ),
    )
  reason(command('tag', 'put a name on a version; it moves there from wherever it stood'))
    .argument('<dataset>')
    .argument('<tag>')
    .argument('<version>', 'a number, latest, another tag, or a hash')
    .addHelpText('after', examples('assay data tag payments training-2026-10 latest'))
    .action(
      then((dataset: string, tag: string, version: string, options: DataOptions) =>
        act({ act: 'tag', dataset, tag, version }, options),
      ),
    )
  reason(command('untag', 'take a tag away; where it stood is kept'))
    .argument('<dataset>')
    .argument('<tag>')
    .addHelpText('after', examples('assay data untag payments training-2026-10'))
    .action(
      then((dataset: string, tag: string, options: DataOptions) =>
        act({ act: 'untag', dataset, tag }, options),
      ),
    )
  addKeepingCommands({ command, requiredReason, reason, act, then })
  command('export', 'write a version to a file, in the order in which it is read')
    .argument(...named)
    .addOption(
      env('--out <file>', 'Parquet or CSV to write, by its name', 'OUT').makeOptionMandatory(),
    )
    .addHelpText('after', examples('assay data export payments@training-2026-10 --out p.parquet'))
    .action(
      then((text: string, options: DataOptions & { out: string }) => {
        const { dataset, version = 'latest' } = parseNamed(text)
        return act({ act: 'export', dataset, version, out: options.out }, options)
      }),
    )
}

interface Tools {
  command(name: string, description: string): Command
  requiredReason(of: Command): Command
  reason(of: Command): Command
  act(made: DataAct, options: DataOptions): Promise<number>
  readonly then: Then
}

/** What keeps versions, brings them back, and lets go of them. */
function addKeepingCommands({ command, requiredReason, reason, act, then }: Tools): void {
  requiredReason(command('hold', 'keep a version, or all of a dataset, whatever retention says'))
    .argument('<dataset>', 'NAME for all of it, or NAME@VERSION')
    .option('--until <day>', 'first day on which it no longer holds, YYYY-MM-DD, UTC')
    .addHelpText('after', examples('assay data hold payments@7 --reason "Case 17"'))
    .action(
      then((text: string, options: DataOptions & { until?: string }) => {
        const { dataset, version } = parseNamed(text)
        const { until } = options
        const made: DataAct = {
          act: 'hold',
          dataset,
          ...(version !== undefined && { version }),
          ...(until !== undefined && { until }),
        }
        return act(made, options)
      }),
    )
  requiredReason(command('release', 'end a hold'))
    .argument('<dataset>')
    .argument('<hold>', 'its id, as `assay data versions` shows it')
    .addHelpText('after', examples('assay data release payments hold_01k4 --reason "Case closed"'))
    .action(
      then((dataset: string, hold: string, options: DataOptions) =>
        act({ act: 'release', dataset, hold }, options),
      ),
    )
  requiredReason(command('rollback', 'make the content of an old version the newest version'))
    .argument('<dataset>')
    .argument('<version>', 'a number, a tag, or a hash')
    .addHelpText('after', examples('assay data rollback payments 7 --reason "8 lacks a day"'))
    .action(
      then((dataset: string, version: string, options: DataOptions) =>
        act({ act: 'rollback', dataset, version }, options),
      ),
    )
  reason(command('retention', 'set or show how long the versions of a dataset are kept'))
    .argument('<dataset>')
    .option(
      '--keep <rule>',
      '5v: the newest five versions; 90d: those of 90 days; once or both',
      keeps,
    )
    .addHelpText('after', examples('assay data retention payments --keep 5v --keep 90d'))
    .action(
      then((dataset: string, options: DataOptions & { keep?: ReturnType<typeof parseKeep> }) =>
        act({ act: 'retention', dataset, ...options.keep }, options),
      ),
    )
  reason(command('clean', 'apply retention, then remove files that no version names'))
    .option('--dry-run', 'say what would go, and change nothing', false)
    .addHelpText('after', examples('assay data clean --dry-run', 'assay data clean'))
    .action(
      then((options: DataOptions & { dryRun: boolean }) =>
        act({ act: 'clean', dryRun: options.dryRun }, options),
      ),
    )
}
