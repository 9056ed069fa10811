// `assay logs`: log lines into templates and parameters, and the visitors behind them.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { examples } from './options.ts'
import type { Actions } from './program.ts'
import { addVisitorsCommand } from './visitors-command.ts'

export interface LogsParseOptions {
  /** Names of fields in angle brackets, the message as `<Content>`; recognised by default. */
  readonly format?: string
  readonly parser: 'brook' | 'drain'
  /** Masks, similarity and depth of Drain, by system or alone. */
  readonly settings?: string
  /** Which of the settings, where the file holds those of several systems. */
  readonly system?: string
  readonly encoding: 'utf-8' | 'latin-1' | 'utf-16le' | 'utf-16be'
  readonly out: string
  /** What is known of earlier files; made where there is none. */
  readonly state?: string
  /** CSV of the lines that have no place, each with its reason; beside `out` by default. */
  readonly rejects?: string
  /** CSV of all templates at the end. */
  readonly templates?: string
  readonly groups: number
  readonly json: boolean
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

/** Adds the commands under `logs`. */
export function addLogsCommands(program: Command, actions: Actions, then: Then): void {
  const logs = program
    .command('logs')
    .description('log lines: the statements that wrote them, and the visitors behind them')
  addParseCommand(logs, actions, then)
  addVisitorsCommand(logs, actions, then)
}

function addParseCommand(logs: Command, actions: Actions, then: Then): void {
  logs
    .command('parse')
    .description('find the statements that wrote a log, and what varies in each line')
    .argument(
      '<file>',
      'a log, gzip or plain; - for standard input (exit code 3 where an archive is damaged)',
    )
    .option(
      '--format <pattern>',
      'header of a line, as in "<Date> <Time> <Level> <Component>: <Content>"; recognised by default',
    )
    .addOption(
      new Option('--encoding <name>', 'of the text; a byte order mark wins')
        .choices(['utf-8', 'latin-1', 'utf-16le', 'utf-16be'])
        .default('utf-8'),
    )
    .addOption(
      new Option('--parser <name>', 'what finds the statements')
        .choices(['brook', 'drain'])
        .default('brook'),
    )
    .option(
      '--settings <file>',
      'JSON with regex, st, depth and log_format as Drain’s benchmark has them, alone or by system',
    )
    .option('--system <name>', 'whose settings, where the file has those of several')
    .requiredOption('--out <file>', 'CSV to write; - for standard output')
    .option('--state <file>', 'go on with the templates kept there, and keep them there at the end')
    .option(
      '--rejects <file>',
      'CSV of the lines that have no place, each with its reason; beside --out by default',
    )
    .option('--templates <file>', 'CSV of the templates at the end, with how often each was seen')
    .option(
      '--groups <n>',
      'templates kept in memory; the one not seen for longest goes',
      groups,
      20_000,
    )
    .option('--json', 'one JSON object on standard output at the end', false)
    .addHelpText(
      'after',
      examples(
        'assay logs parse app.log --out parsed.csv',
        `assay logs parse server.log.gz --format '<Date> <Time> <Level> <Component>: <Content>' --out parsed.csv`,
        'assay logs parse server.log --parser drain --settings drain.json --system HDFS --out parsed.csv',
      ),
    )
    .action(then((file: string, options: LogsParseOptions) => actions.logsParse(file, options)))
}

function groups(text: string): number {
  const wanted = Number(text)
  if (Number.isInteger(wanted) && wanted >= 100 && wanted <= 1_000_000) return wanted
  throw new InvalidArgumentError('It is a whole number from 100 to 1000000.')
}
