// The command line: every command with its options, and nothing of what they do.
import { Command, Option } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { addActionCommands, consumeOption, type DeliveryActions } from './action-commands.ts'
import { addBackupCommands, type BackupActions } from './backup-command.ts'
import { addBacktestCommand, type BacktestOptions } from './backtest-command.ts'
import { addDataCommands, type DataAct, type DataOptions } from './data-command.ts'
import {
  addExperimentsCommands,
  type ExperimentsAct,
  type ExperimentsOptions,
} from './experiments-command.ts'
import { addFeatureCommands } from './feature-commands.ts'
import {
  addHousekeepingCommand,
  housekeepingOptions,
  type HousekeepingOptions,
} from './housekeeping-command.ts'
import { addLearnCommand } from './learn-command.ts'
import type { EndpointAct, EndpointOptions } from './endpoint-commands.ts'
import { addLogsCommands, type LogsParseOptions } from './logs-command.ts'
import { addModelsCommands, type ModelsAct, type ModelsOptions } from './models-command.ts'
import { addNoveltyCommands, type NoveltyActions } from './novelty-command.ts'
import { addPipelineCommands, type PipelineActions } from './pipelines-command.ts'
import {
  addListsCommands,
  addPoliciesCommands,
  type ListsAct,
  type PoliciesAct,
  type PoliciesOptions,
} from './policies-command.ts'
import { addScoreCommand, type ScoreOptions } from './score-command.ts'
import { addServeCommand, type ServeOptions } from './serve-command.ts'
import type { LogsVisitorsOptions } from './visitors-command.ts'
import { bytes, env, examples, homeOption, port, projectOption, redisAddress } from './options.ts'
import { printError, type Terminal } from './output.ts'

export interface HomeOptions {
  readonly home: string
}
export interface StartOptions extends HomeOptions {
  readonly project: string
  readonly port: number
  readonly host: string
  readonly data?: string
  readonly fresh: boolean
  /** An empty store that goes when the server stops, open without a key, on loopback alone. */
  readonly ephemeral: boolean
  readonly log: 'text' | 'json'
  readonly replay: boolean
  /** Bytes. */
  readonly stateMemory?: number
  /** Address of a store of online values. */
  readonly online?: string
  /** Policies that decide on messages, by topic. */
  readonly consume?: Readonly<Record<string, string>>
  /** Of the gRPC door of prediction. */
  readonly grpcPort?: number
  /** Hour of the day, UTC; null: never by itself. */
  readonly housekeepingHour: number | null
  /** Each in days. */
  readonly keepDeleted?: number
  readonly keepResults?: number
  readonly keepUnnamed?: number
  readonly keepDecisions?: number
}
export interface RunOptions extends HomeOptions {
  readonly data?: string
  readonly cache: boolean
}
export interface IngestOptions extends HomeOptions {
  readonly project: string
  readonly source?: string
  /** The first file takes the place of what the dataset holds. */
  readonly replace: boolean
}
export interface DecideOptions extends HomeOptions {
  readonly policy?: string
  readonly url?: string
  readonly keyFile?: string
}
export interface LearnOptions extends HomeOptions {
  readonly target: string
  readonly positive?: string
  readonly task?: 'binary' | 'multiclass' | 'regression'
  readonly drop?: string
  readonly group?: string
  readonly time?: string
  readonly test?: string
  readonly goal?: string
  readonly seed: number
  readonly report?: string
  readonly register?: string
  readonly json: boolean
}
export interface ReproduceOptions extends HomeOptions {
  readonly data?: string
  readonly out?: string
  readonly json: boolean
}
export interface FeaturesListOptions {
  readonly set?: string
}
export interface FeaturesHistoryOptions {
  readonly data: string
  readonly set: string
  /** Files of further sources, by the sources' names. */
  readonly other?: Readonly<Record<string, string>>
  /** Entity rows: keys and times; without it every event of the data is a row. */
  readonly rows?: string
  readonly as: 'decided' | 'corrected'
  readonly from?: string
  readonly to?: string
  readonly out: string
}
export interface FeaturesAuditOptions extends HomeOptions {
  readonly namespace?: string
  readonly from?: string
  readonly to?: string
}
export interface FeaturesMaterializeOptions extends HomeOptions {
  readonly set: string
  readonly to: string
  readonly passwordFile?: string
  readonly namespace: string
}
export interface FeaturesGraphsOptions extends HomeOptions {
  readonly project: string
  readonly graph?: string
}
export interface AuditVerifyOptions extends HomeOptions {
  readonly file?: string
  readonly publicKey?: string
}
export interface InitOptions {
  readonly name?: string
}
export interface NewKeyOptions extends HomeOptions {
  readonly name: string
  /** Absent: analyst; of a program caller. */
  readonly role?: 'administrator' | 'approver' | 'analyst' | 'reader' | 'caller'
  readonly program: boolean
}

/** What each command does; wired in main.ts. The number is the exit code. */
export interface Actions extends PipelineActions, DeliveryActions, BackupActions, NoveltyActions {
  start(options: StartOptions): Promise<number>
  open(options: HomeOptions): Promise<number>
  init(directory: string, options: InitOptions): Promise<number>
  ingest(files: readonly string[], options: IngestOptions): Promise<number>
  run(project: string, options: RunOptions): Promise<number>
  decide(file: string | undefined, options: DecideOptions): Promise<number>
  score(file: string, options: ScoreOptions): Promise<number>
  backtest(options: BacktestOptions): Promise<number>
  serve(model: string, options: ServeOptions): Promise<number>
  learn(file: string, options: LearnOptions): Promise<number>
  reproduce(version: string, options: ReproduceOptions): Promise<number>
  repair(options: HomeOptions): Promise<number>
  data(act: DataAct, options: DataOptions): Promise<number>
  experiments(act: ExperimentsAct, options: ExperimentsOptions): Promise<number>
  models(act: ModelsAct, options: ModelsOptions): Promise<number>
  policies(act: PoliciesAct, options: PoliciesOptions): Promise<number>
  lists(act: ListsAct, options: PoliciesOptions): Promise<number>
  endpoints(act: EndpointAct, options: EndpointOptions): Promise<number>
  housekeeping(options: HousekeepingOptions): Promise<number>
  logsParse(file: string, options: LogsParseOptions): Promise<number>
  logsVisitors(file: string, options: LogsVisitorsOptions): Promise<number>
  featuresList(project: string, options: FeaturesListOptions): Promise<number>
  featuresShow(feature: string, project: string): Promise<number>
  featuresAudit(options: FeaturesAuditOptions): Promise<number>
  featuresMaterialize(options: FeaturesMaterializeOptions): Promise<number>
  featuresGraphs(options: FeaturesGraphsOptions): Promise<number>
  featuresHistory(project: string, options: FeaturesHistoryOptions): Promise<number>
  auditVerify(options: AuditVerifyOptions): Promise<number>
  auditExport(file: string, options: HomeOptions): Promise<number>
  keysList(options: HomeOptions): Promise<number>
  keysCreate(options: NewKeyOptions): Promise<number>
  keysRevoke(id: string, options: HomeOptions): Promise<number>
  keysReset(options: HomeOptions): Promise<number>
}

/**
 * Runs the command that the arguments name and resolves with its exit code. Help and version go to
 * standard output; whatever fails is said on standard error.
 */
export async function runCommandLine(
  version: string,
  actions: Actions,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let code: number = exitCodes.ok
  const program = createProgram(version, actions, (ended) => {
    code = ended
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return printError(error, terminal)
  }
}

/** Builds the program; `done` receives the exit code of the command that ran. */
export function createProgram(
  version: string,
  actions: Actions,
  done: (code: number) => void,
): Command {
  const program = new Command('assay')
    .description(
      'From raw events to governed, monitored decisions.\nAn option that names a variable (env: ASSAY_…) can also be given by it.',
    )
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('Add --help to see options and examples.')
    .configureHelp({ sortSubcommands: false })
  const then =
    <A extends unknown[]>(act: (...args: A) => Promise<number>) =>
    async (...args: A) =>
      done(await act(...args))

  const [hour, keepDeleted, keepResults, keepUnnamed, keepDecisions] = housekeepingOptions()
  program
    .command('start')
    .description('start the server with a project: doors, page and pipeline')
    .addOption(projectOption())
    .addOption(homeOption())
    .addOption(
      env('--port <n>', 'port of the page and the API', 'PORT').argParser(port).default(7070),
    )
    .addOption(env('--host <address>', 'address to listen on', 'HOST').default('127.0.0.1'))
    .addOption(
      env(
        '--grpc-port <n>',
        'port of the gRPC door of prediction; without it there is none',
        'GRPC_PORT',
      ).argParser(port),
    )
    .addOption(
      env('--data <file>', 'read the project’s data from this file (CSV, CSV.gz, Parquet)', 'DATA'),
    )
    .addOption(
      env('--fresh', 'remove everything in the home directory first', 'FRESH').default(false),
    )
    .addOption(
      new Option(
        '--ephemeral',
        'for tests: tracking and registry alone, empty, without a key, on loopback; forgotten at the stop',
      )
        .default(false)
        .conflicts([
          'home',
          'project',
          'data',
          'fresh',
          'replay',
          'stateMemory',
          'online',
          'grpcPort',
          'consume',
        ]),
    )
    .addOption(
      env('--log <form>', 'what goes to the terminal', 'LOG')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addOption(
      env(
        '--state-memory <size>',
        'keep live feature state within this much memory and the rest on disk (512MB, 4GB)',
        'STATE_MEMORY',
      ).argParser(bytes),
    )
    .addOption(
      env(
        '--online <address>',
        'keep the newest feature values of entities up in this Redis or Valkey, for other programs (redis://host:6379)',
        'ONLINE',
      ).argParser(redisAddress),
    )
    .addOption(consumeOption())
    .addOption(hour)
    .addOption(keepDeleted)
    .addOption(keepResults)
    .addOption(keepUnnamed)
    .addOption(keepDecisions)
    .addOption(env('--no-replay', 'do not play the kept-back rows as live traffic', 'NO_REPLAY'))
    .addHelpText(
      'after',
      examples('assay start --project my-bank', 'assay start --data payments.csv.gz --port 8080'),
    )
    .action(then((options: StartOptions) => actions.start(options)))

  program
    .command('open')
    .description('print a new one-time link to sign in to the page (ten minutes)')
    .addOption(homeOption())
    .addHelpText('after', examples('assay open'))
    .action(then((options: HomeOptions) => actions.open(options)))

  program
    .command('repair')
    .description('put back or make again the bases of live state that a stopped home has lost')
    .addOption(homeOption())
    .addHelpText('after', examples('assay repair'))
    .action(then((options: HomeOptions) => actions.repair(options)))

  program
    .command('init')
    .description('make a new project from the template')
    .argument('<directory>', 'where to make it; its last part becomes the name')
    .option('--name <name>', 'another name for the project')
    .addHelpText(
      'after',
      examples('assay init my-bank', 'assay init projects/cards --name card-fraud'),
    )
    .action(then((directory: string, options: InitOptions) => actions.init(directory, options)))

  program
    .command('run')
    .description('run a project’s whole pipeline in the terminal, without a server')
    .argument('[project]', 'folder of the project', '.')
    .addOption(homeOption())
    .addOption(env('--data <file>', 'read the project’s data from this file', 'DATA'))
    .option('--no-cache', 'train models anew, also where nothing has changed')
    .addHelpText('after', examples('assay run', 'assay run my-bank --data payments.parquet'))
    .action(then((project: string, options: RunOptions) => actions.run(project, options)))

  program
    .command('ingest')
    .description('check files against their contract and keep the rows that hold')
    .argument('<files...>', 'CSV, gzip CSV, NDJSON or Parquet')
    .addOption(projectOption())
    .addOption(homeOption())
    .addOption(
      env('--source <name>', 'source of the rows; the project’s first one by default', 'SOURCE'),
    )
    .option('--replace', 'take the place of what the dataset holds, as a new version', false)
    .addHelpText(
      'after',
      examples(
        'assay ingest payments.csv.gz',
        'assay ingest labels.csv --source fraud',
        'assay ingest payments-corrected.csv.gz --replace',
      ),
    )
    .action(then((files: string[], options: IngestOptions) => actions.ingest(files, options)))

  program
    .command('decide')
    .description('decide on one event, a JSON object in a file or on standard input')
    .argument('[file]', 'the event; standard input by default, or as -')
    .addOption(homeOption())
    .addOption(env('--policy <name>', 'decision policy; the only live one by default', 'POLICY'))
    .addOption(
      env('--url <address>', 'address of another Assay; the one of this home by default', 'URL'),
    )
    .addOption(env('--key-file <file>', 'file that holds the key, for --url', 'KEY_FILE'))
    .addHelpText(
      'after',
      examples(
        'assay decide payment.json',
        `echo '{"transaction_id":"1","datetime":"2018-08-15T10:00:00Z","customer_id":596,"terminal_id":3156,"amount":"57.16"}' | assay decide`,
      ),
    )
    .action(
      then((file: string | undefined, options: DecideOptions) => actions.decide(file, options)),
    )

  addScoreCommand(program, actions, then)
  addBacktestCommand(program, actions, then)
  addServeCommand(program, actions, then)
  addLearnCommand(program, actions, then)
  addPipelineCommands(program, actions, then)

  program
    .command('reproduce')
    .description(
      'train a version again from its record and compare bytes (exit code 3 if they differ)',
    )
    .argument('<version>', 'MODEL@VERSION')
    .addOption(homeOption())
    .addOption(
      env('--data <file>', 'the file that a model of `assay learn` was learnt from', 'DATA'),
    )
    .option('--out <file>', 'write the model that was made now, as JSON')
    .option('--json', 'one JSON object on standard output', false)
    .addHelpText(
      'after',
      examples('assay reproduce card-fraud@1', 'assay reproduce churn@2 --data customers.csv'),
    )
    .action(then((named: string, options: ReproduceOptions) => actions.reproduce(named, options)))

  const data = program.command('data').description('datasets and their versions')
  addDataCommands(data, actions, then)

  addExperimentsCommands(program, actions, then)
  addModelsCommands(program, actions, then)
  addPoliciesCommands(program, actions, then)
  addListsCommands(program, actions, then)

  const features = program.command('features').description('declared features and their values')
  addFeatureCommands(features, actions, then)

  addLogsCommands(program, actions, then)

  const audit = program.command('audit').description('the tamper-evident log')
  audit
    .command('verify')
    .description('prove that no entry was changed, removed or added (exit code 3 if one was)')
    .addOption(homeOption())
    .option('--file <file>', 'verify an export instead of the home directory')
    .option(
      '--public-key <file>',
      'the key that must have signed it; the one of the home by default',
    )
    .addHelpText(
      'after',
      examples(
        'assay audit verify',
        'assay audit verify --file audit.ndjson --public-key audit.pub',
      ),
    )
    .action(then((options: AuditVerifyOptions) => actions.auditVerify(options)))
  audit
    .command('export')
    .description('write every entry and the signed checkpoint to a file')
    .argument('<file>', 'NDJSON to write; the public key goes beside it, as .pub')
    .addOption(homeOption())
    .addHelpText('after', examples('assay audit export audit.ndjson'))
    .action(then((file: string, options: HomeOptions) => actions.auditExport(file, options)))

  addHousekeepingCommand(program, actions, then)
  addBackupCommands(program, actions, then)
  addActionCommands(program, actions, then)
  addNoveltyCommands(program, actions, then)

  const keys = program.command('keys').description('keys for programs and people')
  keys
    .command('list')
    .description('list keys, never the secrets')
    .addOption(homeOption())
    .addHelpText('after', examples('assay keys list'))
    .action(then((options: HomeOptions) => actions.keysList(options)))
  keys
    .command('create')
    .description('make an identity with a key, shown once')
    .requiredOption('--name <name>', 'whose key it is')
    .addOption(
      new Option(
        '--role <role>',
        'what it may do; without it an analyst, or a caller with --program: that only asks for decisions and predictions',
      ).choices(['administrator', 'approver', 'analyst', 'reader', 'caller']),
    )
    .option('--program', 'the key is for a program, not for a person', false)
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples(
        'assay keys create --name "Ada Lovelace" --role approver',
        'assay keys create --name "Payment switch" --program > payment-switch.key',
        'assay keys create --name "Ada’s notebook" --program --role analyst > notebook.key',
      ),
    )
    .action(then((options: NewKeyOptions) => actions.keysCreate(options)))
  keys
    .command('revoke')
    .description('end a key')
    .argument('<id>', 'from `assay keys list`')
    .addOption(homeOption())
    .addHelpText('after', examples('assay keys revoke key_01jd8q6e5v0000000000000000'))
    .action(then((id: string, options: HomeOptions) => actions.keysRevoke(id, options)))
  keys
    .command('reset')
    .description('for a lost administrator key: revoke it and show a new one, audited')
    .addOption(homeOption())
    .addHelpText('after', examples('assay keys reset'))
    .action(then((options: HomeOptions) => actions.keysReset(options)))
  return program
}
