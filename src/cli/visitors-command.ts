// `assay logs visitors`: who came, in every minute, hour or day.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { parseDuration } from '../lib/time.ts'
import { examples } from './options.ts'
import type { Actions } from './program.ts'

export interface LogsVisitorsOptions {
  /** Microseconds, as all durations here. */
  readonly every: number
  readonly window?: number
  readonly lateness: number
  readonly jump: number
  readonly by?: readonly string[]
  readonly visitor?: readonly string[]
  readonly top: number
  readonly botRate: number
  readonly format?: string
  readonly encoding: 'utf-8' | 'latin-1' | 'utf-16le' | 'utf-16be'
  readonly timeZone: string
  readonly follow: boolean
  /** File in which the count and the place in the log are kept. */
  readonly state?: string
  readonly json: boolean
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

/** Adds `logs visitors`. */
export function addVisitorsCommand(logs: Command, actions: Actions, then: Then): void {
  logs
    .command('visitors')
    .description('count the unique visitors of a log, in every minute, hour or day')
    .argument(
      '<file>',
      'a log, gzip or plain, also one that is rotated; - for standard input (exit code 3 where an archive is damaged)',
    )
    .option('--every <duration>', 'how long a slot is: 1m, 5m, 1h, 1d', duration, duration('1h'))
    .option('--window <duration>', 'count each time over so much: 24h slides by the hour', duration)
    .option('--by <fields>', 'break down by fields, such as page,device,status', fields)
    .option(
      '--visitor <fields>',
      'what tells visitors from each other; client,agent or what is like it by default',
      fields,
    )
    .option('--top <n>', 'keys of a breakdown that are named', wholeNumber, 10)
    .option(
      '--bot-rate <n>',
      'requests a minute above which a visitor is taken for a program',
      wholeNumber,
      60,
    )
    .option(
      '--lateness <duration>',
      'how far lines may be out of order; a slot is final so long after its end',
      duration,
      duration('5m'),
    )
    .option(
      '--jump <duration>',
      'a line so far ahead is believed once others follow it',
      duration,
      duration('6h'),
    )
    .option(
      '--format <pattern>',
      'header of a line, as in "<Date> <Time> <Client>: <Content>"; recognised by default',
    )
    .addOption(
      new Option('--encoding <name>', 'of the text; a byte order mark wins')
        .choices(['utf-8', 'latin-1', 'utf-16le', 'utf-16be'])
        .default('utf-8'),
    )
    .option('--time-zone <zone>', 'in which days begin, and of times that name none', 'UTC')
    .option('--follow', 'wait for further lines, also when the file is rotated', false)
    .option(
      '--state <file>',
      'keep the count and the place in the log there, and go on from there the next time',
    )
    .option('--json', 'JSON lines also on a terminal', false)
    .addHelpText(
      'after',
      `
Slots are final once a line is later than their end by more than --lateness; they come
out in order. With --state the last ones stay open for lines that are yet to come.
What is estimated has the band in which it lies with 95 % (\u00b1).
${examples(
  'assay logs visitors access.log.gz --every 1d --by page,device',
  'assay logs visitors /var/log/nginx/access.log --every 1m --by path --follow --state visitors.state',
  'assay logs visitors access.log --every 1h --window 24h --json > visitors.jsonl',
  'journalctl -o json | assay logs visitors - --visitor _HOSTNAME --by _SYSTEMD_UNIT',
)}`,
    )
    .action(
      then((file: string, options: LogsVisitorsOptions) => actions.logsVisitors(file, options)),
    )
}

function duration(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

function fields(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('Write names parted by commas.')
  return names
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('It is a whole number from 1 on.')
  return number
}
