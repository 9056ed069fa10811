// `assay actions`, `assay set-aside` and `assay decisions`: what leaves after a decision, and what goes.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { env, examples, homeOption, named, personOptions } from './options.ts'
import type { HomeOptions } from './program.ts'

/** With a key, what is asked of a server as that person. */
interface PersonOptions extends HomeOptions {
  readonly url?: string
  readonly keyFile?: string
}

export interface ActionsListOptions extends PersonOptions {
  readonly json: boolean
}

export interface RedriveOptions extends PersonOptions {
  readonly reason: string
  readonly sequences?: readonly number[]
}

export interface SetAsideListOptions extends PersonOptions {
  readonly topic?: string
  readonly all: boolean
  readonly json: boolean
}

export interface ResendOptions extends PersonOptions {
  readonly policy: string
  readonly reason: string
  /** A file with the mended message; as it came without. */
  readonly body?: string
}

export interface DecisionsExportOptions extends HomeOptions {
  readonly out: string
  readonly namespace: string
  readonly from?: string
  readonly to?: string
}

export interface DecisionsRetainOptions extends HomeOptions {
  readonly before: string
  readonly exportTo?: string
  readonly withoutExport: boolean
  readonly reason?: string
  readonly dryRun: boolean
  readonly json: boolean
}

export interface DecisionsHoldOptions extends HomeOptions {
  readonly from?: string
  readonly to?: string
  readonly reason: string
}

export interface DeliveryActions {
  actionsList(options: ActionsListOptions): Promise<number>
  actionsRedrive(policy: string, action: string, options: RedriveOptions): Promise<number>
  setAsideList(options: SetAsideListOptions): Promise<number>
  setAsideResend(sequence: number, options: ResendOptions): Promise<number>
  decisionsExport(options: DecisionsExportOptions): Promise<number>
  decisionsRetain(options: DecisionsRetainOptions): Promise<number>
  decisionsHolds(options: HomeOptions & { readonly json: boolean }): Promise<number>
  decisionsHold(name: string, options: DecisionsHoldOptions): Promise<number>
  decisionsRelease(name: string, options: DecisionsHoldOptions): Promise<number>
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

/** What `start` takes: topics on whose messages policies decide. */
export function consumeOption(): Option {
  return env(
    '--consume <topic=policy>',
    'let a policy decide on the messages of a topic, a folder of NDJSON files in the home’s topics/; may be given again',
    'CONSUME',
  ).argParser(named)
}

export function addActionCommands(program: Command, does: DeliveryActions, then: Then): void {
  const actions = program
    .command('actions')
    .description('what policies tell of their decisions: webhooks, topics, files')
  personOptions(actions.command('list'))
    .description('how far each action is, and what could not be delivered')
    .option(
      '--json',
      'one JSON object on standard output; with --key-file as the API gives it',
      false,
    )
    .addOption(homeOption())
    .addHelpText('after', examples('assay actions list', 'assay actions list --key-file ada.key'))
    .action(then((options: ActionsListOptions) => does.actionsList(options)))
  personOptions(actions.command('redrive'))
    .description('deliver once more what could not be delivered')
    .argument('<policy>', 'the policy that declares the action')
    .argument('<action>', 'the action')
    .requiredOption('--reason <text>', 'why; it enters the audit log')
    .option('--sequences <n,n>', 'these alone; all by default', sequences)
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples('assay actions redrive card-fraud tell-desk --reason "They are back"'),
    )
    .action(
      then((policy: string, action: string, options: RedriveOptions) =>
        does.actionsRedrive(policy, action, options),
      ),
    )

  const setAside = program
    .command('set-aside')
    .description('messages of streams on which nothing could be decided')
  personOptions(setAside.command('list'))
    .description('which, and why; newest first')
    .option('--topic <topic>', 'of one topic')
    .option('--all', 'also those that were sent once more', false)
    .option(
      '--json',
      'one JSON object a line on standard output; with --key-file as the API gives it',
      false,
    )
    .addOption(homeOption())
    .addHelpText('after', examples('assay set-aside list --topic payments --key-file ada.key'))
    .action(then((options: SetAsideListOptions) => does.setAsideList(options)))
  personOptions(setAside.command('resend'))
    .description('decide on one once more, as it came or mended')
    .argument('<sequence>', 'as `assay set-aside list` shows it', whole)
    .requiredOption('--policy <name>', 'the policy that decides')
    .requiredOption('--reason <text>', 'why; it enters the audit log')
    .option('--body <file>', 'the mended message')
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples(
        'assay set-aside resend 812 --policy card-fraud --body mended.json --reason "A typing error"',
      ),
    )
    .action(
      then((sequence: number, options: ResendOptions) => does.setAsideResend(sequence, options)),
    )

  const decisions = program.command('decisions').description('recorded decisions')
  decisions
    .command('export')
    .description('write decisions and labels to Parquet files, a folder for each day')
    .requiredOption('--out <directory>', 'where to write; files of the same days are replaced')
    .option('--from <day>', 'first day of receipt, UTC: YYYY-MM-DD')
    .option('--to <day>', 'last day of receipt')
    .option('--namespace <name>', 'live, or a replay', 'live')
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples('assay decisions export --from 2018-08-01 --to 2018-08-31 --out august'),
    )
    .action(then((options: DecisionsExportOptions) => does.decisionsExport(options)))
  addRetentionCommands(decisions, does, then)
}

function addRetentionCommands(decisions: Command, does: DeliveryActions, then: Then): void {
  decisions
    .command('retain')
    .description(
      'remove for good the records of decisions that were received before a day; events and keys stay, so none is decided twice',
    )
    .requiredOption('--before <day>', 'the first day of receipt that stays, UTC: YYYY-MM-DD')
    .addOption(
      new Option('--export-to <directory>', 'write them to Parquet files first').conflicts(
        'withoutExport',
      ),
    )
    .option('--without-export', 'say that an export is not wanted', false)
    .option('--reason <text>', 'why, for the audit log')
    .option('--dry-run', 'say what would go and what holds the rest, and change nothing', false)
    .option('--json', 'one JSON object on standard output', false)
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples(
        'assay decisions retain --before 2019-01-01 --dry-run',
        'assay decisions retain --before 2019-01-01 --export-to /archive/2018 --reason "Seven years are over"',
      ),
    )
    .action(then((options: DecisionsRetainOptions) => does.decisionsRetain(options)))
  decisions
    .command('holds')
    .description('periods of receipt of which no record is removed')
    .option('--json', 'one JSON object on standard output', false)
    .addOption(homeOption())
    .addHelpText('after', examples('assay decisions holds'))
    .action(
      then((options: HomeOptions & { readonly json: boolean }) => does.decisionsHolds(options)),
    )
  decisions
    .command('hold')
    .description('keep the records of decisions that were received in a period')
    .argument('<name>', 'small letters, digits and dashes')
    .option('--from <day>', 'first day of receipt, UTC; without it, from the beginning')
    .option('--to <day>', 'last day of receipt; without it, for all that is to come')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples('assay decisions hold case-7 --from 2018-08-01 --reason "A court asks"'),
    )
    .action(
      then((name: string, options: DecisionsHoldOptions) => does.decisionsHold(name, options)),
    )
  decisions
    .command('release')
    .description('end a hold')
    .argument('<name>', 'as `assay decisions holds` lists it')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .addOption(homeOption())
    .addHelpText('after', examples('assay decisions release case-7 --reason "The case is closed"'))
    .action(
      then((name: string, options: DecisionsHoldOptions) => does.decisionsRelease(name, options)),
    )
}

function whole(text: string): number {
  const number = Number(text)
  if (text !== '' && Number.isSafeInteger(number) && number > 0) return number
  throw new InvalidArgumentError('It is a whole number above 0.')
}

function sequences(text: string): number[] {
  return text.split(',').map(whole)
}
