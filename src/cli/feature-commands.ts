// The commands about features: what is declared, what values were and are.
import { Option, type Command } from 'commander'
import { env, examples, homeOption, named, projectOption } from './options.ts'
import type {
  Actions,
  FeaturesAuditOptions,
  FeaturesGraphsOptions,
  FeaturesHistoryOptions,
  FeaturesListOptions,
  FeaturesMaterializeOptions,
} from './program.ts'

/** Turns an act into what commander calls; the act's number becomes the exit code. */
type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

/** Adds the commands under `features`. */
export function addFeatureCommands(features: Command, actions: Actions, then: Then): void {
  const project = ['[project]', 'folder of the project', '.'] as const
  const from = (description: string) => env('--from <day>', description, 'FROM')
  const to = (description: string) => env('--to <day>', description, 'TO')
  const set = () => env('--set <name>', 'feature set', 'SET')
  features
    .command('list')
    .description('list the features that a project declares')
    .argument(...project)
    .addOption(set())
    .addHelpText('after', examples('assay features list', 'assay features list my-bank'))
    .action(
      then((folder: string, options: FeaturesListOptions) => actions.featuresList(folder, options)),
    )
  features
    .command('show')
    .description('show one feature: its declaration in words, its version and what it follows from')
    .argument('<feature>', 'its name, or set/name where sets share one')
    .argument(...project)
    .addHelpText(
      'after',
      examples(
        'assay features show CUSTOMER_COUNT_7D',
        'assay features show handbook/TX_AMOUNT examples/card-fraud',
      ),
    )
    .action(then((feature: string, folder: string) => actions.featuresShow(feature, folder)))
  features
    .command('history')
    .description('compute a feature set as of each event of a file, or as of given rows')
    .argument(...project)
    .addOption(
      env('--data <file>', 'events: CSV, gzip CSV or Parquet', 'DATA').makeOptionMandatory(),
    )
    .addOption(set().makeOptionMandatory())
    .addOption(
      env(
        '--other <source=file>',
        'events of a further source that the set looks at; once for each',
        'OTHER',
      ).argParser(named),
    )
    .addOption(from('first day to write, YYYY-MM-DD'))
    .addOption(to('last day to write, YYYY-MM-DD'))
    .addOption(
      env('--rows <file>', 'keys and times to compute it for; every event by default', 'ROWS'),
    )
    .addOption(
      env('--as <order>', 'what counts: facts that had arrived, or as if none had been late', 'AS')
        .choices(['decided', 'corrected'])
        .default('decided'),
    )
    .addOption(
      env('--out <file>', 'CSV or Parquet to write, by its name', 'OUT').makeOptionMandatory(),
    )
    .addHelpText(
      'after',
      examples(
        'assay features history examples/card-fraud --data transactions.csv.gz --set handbook --from 2018-07-25 --to 2018-08-14 --out X.csv',
        'assay features history --data payments.parquet --set behaviour --rows customers.csv --out X.parquet',
        'assay features history --data payments.parquet --other logins=logins.csv --set behaviour --out X.parquet',
      ),
    )
    .action(
      then((folder: string, options: FeaturesHistoryOptions) =>
        actions.featuresHistory(folder, options),
      ),
    )
  features
    .command('audit')
    .description('compute recorded live features anew and compare (exit code 3 if any differs)')
    .addOption(homeOption())
    .addOption(env('--namespace <name>', 'live or a replay; all by default', 'NAMESPACE'))
    .addOption(from('first day to compare, YYYY-MM-DD, UTC'))
    .addOption(to('last day to compare, YYYY-MM-DD, UTC'))
    .addHelpText(
      'after',
      examples(
        'assay features audit',
        'assay features audit --namespace live --from 2026-03-01 --to 2026-03-31',
      ),
    )
    .action(then((options: FeaturesAuditOptions) => actions.featuresAudit(options)))
  features
    .command('graphs')
    .description('work out the dated snapshots of graphs that a project declares, as datasets')
    .addOption(projectOption())
    .addOption(homeOption())
    .addOption(env('--graph <name>', 'only this one', 'GRAPH'))
    .addHelpText(
      'after',
      examples('assay features graphs', 'assay features graphs --graph network --project my-bank'),
    )
    .action(then((options: FeaturesGraphsOptions) => actions.featuresGraphs(options)))
  features
    .command('materialize')
    .description('write the current features of all entities to a store of online values')
    .addOption(homeOption())
    .addOption(set().makeOptionMandatory())
    .addOption(new Option('--to <url>', 'Redis or Valkey: redis://host:port').makeOptionMandatory())
    .option('--password-file <file>', 'file that holds the password of the store')
    .option('--namespace <name>', 'whose values: live or a replay', 'live')
    .addHelpText(
      'after',
      examples('assay features materialize --set behaviour --to redis://127.0.0.1:6379'),
    )
    .action(then((options: FeaturesMaterializeOptions) => actions.featuresMaterialize(options)))
}
