// `assay models`: the registry, from the terminal.
import { Option, type Command } from 'commander'
import { addEndpointCommands } from './endpoint-commands.ts'
import { countOfReasons, freshOption, outOption, rejectsOption } from './batch-options.ts'
import {
  deviceOption,
  env,
  examples,
  homeOption,
  named as namedValues,
  projectOption,
} from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

/** What a command under `models` does. Names are `NAME`, `NAME@3` or `NAME@alias`. */
export type ModelsAct =
  | { readonly act: 'list' }
  | { readonly act: 'show'; readonly name: string }
  | { readonly act: 'delete' | 'restore'; readonly name: string }
  | { readonly act: 'diff'; readonly name: string; readonly from: string; readonly to: string }
  | { readonly act: 'champion'; readonly name: string }
  | {
      readonly act: 'alias'
      readonly name: string
      readonly alias: string
      readonly version: string
    }
  | { readonly act: 'purge' }
  | { readonly act: 'score'; readonly name: string; readonly file: string }
  | { readonly act: 'adopt'; readonly name: string }

/** Each command has those that it declares. */
export interface ModelsOptions extends HomeOptions {
  readonly json: boolean
  readonly deleted?: boolean
  readonly all?: boolean
  readonly at?: string
  readonly reason?: string
  /** Such as 90d. */
  readonly olderThan?: string
  readonly out?: string
  readonly rejects?: string
  readonly fresh?: boolean
  /** How many reasons a row gets. */
  readonly reasons?: number
  readonly project?: string
  /** What computes a graph of ONNX; the processor by default. */
  readonly device?: string
  /** Which feature answers an input of another name. */
  readonly input?: Readonly<Record<string, string>>
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

const named = 'a model, NAME@VERSION or NAME@alias'

/** Adds the commands under `models`. */
export function addModelsCommands(program: Command, actions: Actions, then: Then): void {
  const models = program.command('models').description('registered models and their versions')
  const command = (name: string, description: string, example: string) =>
    models
      .command(name)
      .description(description)
      .option('--json', 'print JSON', false)
      .addOption(homeOption())
      .addHelpText('after', examples(example))
  const reason = () => env('--reason <text>', 'kept in the audit log', 'REASON')
  addEndpointCommands(models, actions, then)

  command('list', 'list models: versions, what is live, aliases', 'assay models list')
    .option('--deleted', 'those that were deleted and can be restored', false)
    .action(then((options: ModelsOptions) => actions.models({ act: 'list' }, options)))
  command(
    'show',
    'show a model with its versions, or one version with what it was made from',
    'assay models show card-fraud@champion',
  )
    .argument('<name>', named)
    .action(
      then((name: string, options: ModelsOptions) =>
        actions.models({ act: 'show', name }, options),
      ),
    )
  command('diff', 'tell what changed between two versions', 'assay models diff card-fraud 3 4')
    .argument('<name>', 'the model')
    .argument('<from>', 'a version or an alias')
    .argument('<to>', 'a version or an alias')
    .option('--all', 'also what is the same', false)
    .action(
      then((name: string, from: string, to: string, options: ModelsOptions) =>
        actions.models({ act: 'diff', name, from, to }, options),
      ),
    )
  models
    .command('score')
    .description(
      'score a table with a version of `assay learn`, or one that a client logged as data',
    )
    .argument('<version>', 'NAME@VERSION or NAME@alias')
    .argument(
      '<file>',
      'CSV, gzip CSV or Parquet with the columns that the model takes, or DATASET@VERSION',
    )
    .addOption(
      new Option(
        '--reasons [count]',
        'with the columns that pushed each score most, three unless said otherwise',
      )
        .argParser(countOfReasons)
        .preset('3'),
    )
    .addOption(outOption())
    .addOption(rejectsOption())
    .addOption(freshOption())
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples(
        'assay models score churn@3 customers.csv --out scores.csv --reasons',
        'assay models score churn@3 customers@latest --out scores.parquet',
      ),
    )
    .action(
      then((name: string, file: string, options: ModelsOptions) =>
        actions.models({ act: 'score', name, file }, options),
      ),
    )
  command(
    'adopt',
    'make a version that a client logged, or a model of another server, one of the project’s own: bind its inputs to features, measure it, hold it against the gate',
    'assay models adopt boost@1 --project my-bank --input amt=TX_AMOUNT',
  )
    .argument(
      '<version>',
      'NAME@VERSION or NAME@alias of an XGBoost, LightGBM or ONNX model, or the URL of a version of a model of another v2 server',
    )
    .addOption(projectOption())
    .addOption(
      new Option(
        '--input <input=feature>',
        'the feature that answers an input of another name; once for each',
      ).argParser(namedValues),
    )
    .addOption(deviceOption())
    .action(
      then((name: string, options: ModelsOptions) =>
        actions.models({ act: 'adopt', name }, options),
      ),
    )
  command(
    'champion',
    'tell which versions answered traffic at a time, and where aliases pointed',
    'assay models champion card-fraud --at 2026-03-01T12:00:00Z',
  )
    .argument('<name>', 'the model, also by a former name')
    .addOption(env('--at <time>', 'ISO 8601; now by default', 'AT'))
    .action(
      then((name: string, options: ModelsOptions) =>
        actions.models({ act: 'champion', name }, options),
      ),
    )
  command(
    'alias',
    'point an alias at a version, or at none',
    'assay models alias card-fraud next 4',
  )
    .argument('<name>', 'the model')
    .argument('<alias>', 'letters, digits, - and _')
    .argument('<version>', 'its number, or "none"')
    .addOption(reason())
    .action(
      then((name: string, alias: string, version: string, options: ModelsOptions) =>
        actions.models({ act: 'alias', name, alias, version }, options),
      ),
    )
  for (const [act, description] of [
    ['delete', 'hide a model or a version; it can be restored until it is purged'],
    ['restore', 'bring a deleted model or version back'],
  ] as const) {
    command(act, description, `assay models ${act} churn@2`)
      .argument('<name>', named)
      .addOption(reason())
      .action(
        then((name: string, options: ModelsOptions) => actions.models({ act, name }, options)),
      )
  }
  command(
    'purge',
    'remove for good what was deleted long ago and never approved',
    'assay models purge --older-than 90d',
  )
    .addOption(
      env(
        '--older-than <time>',
        'since when it must have been deleted (90d)',
        'OLDER_THAN',
      ).default('90d'),
    )
    .addOption(reason())
    .action(then((options: ModelsOptions) => actions.models({ act: 'purge' }, options)))
}
