// Counted visitors, as people and as programs read them.
import type { LogsVisitorsOptions } from '../../cli/index.ts'
import { calendar, DAY_US, formatTimestamp } from '../../lib/time.ts'
import type { Breakdown, Count, VisitorResult } from '../../logs/index.ts'

export interface VisitorTable {
  readonly heading: string
  readonly isByDay: boolean
  readonly timeZone: string
  /** Characters of a line; as long as it gets where there is no terminal. */
  readonly width: number
  /** Of one breakdown. */
  readonly keysWidth: number
}

const COUNT_WIDTH = 13
const SMALL_WIDTH = 9
/** Keys of a breakdown that a line has room for. */
const KEYS_SHOWN = 3
const KEY_LENGTH = 32
const KEYS_WIDTH_MIN = 24
const SO_FAR = 'so far'

export function visitorTable(options: LogsVisitorsOptions, width = Infinity): VisitorTable {
  const isByDay = options.every === DAY_US
  const heading = [
    (options.window === undefined ? 'from' : 'until').padEnd(isByDay ? 10 : 16),
    'visitors'.padStart(COUNT_WIDTH),
    'new today'.padStart(COUNT_WIDTH),
    ...['requests', 'bots', 'suspects'].map((name) => name.padStart(SMALL_WIDTH)),
  ].join('  ')
  const by = options.by ?? []
  // What the figures leave is shared; where there is no room, the line is cut.
  const keysWidth = Math.max(
    KEYS_WIDTH_MIN,
    Math.floor((width - heading.length - SO_FAR.length - 2) / by.length) - 2,
  )
  return {
    heading: [heading, ...by.map((field) => fitted(`by ${field}`, keysWidth))].join('  '),
    isByDay,
    timeZone: options.timeZone,
    width,
    keysWidth,
  }
}

/** One line: of a window that slides its end, else its beginning. */
export function visitorRow(result: VisitorResult, table: VisitorTable): string {
  const slides = table.heading.startsWith('until')
  const row = [
    timeText(slides ? result.to : result.from, table, slides),
    countText(result.visitors).padStart(COUNT_WIDTH),
    countText(result.firstSeen).padStart(COUNT_WIDTH),
    result.hits.toLocaleString('en-US').padStart(SMALL_WIDTH),
    countText(result.bots).padStart(SMALL_WIDTH),
    countText(result.suspects).padStart(SMALL_WIDTH),
    ...result.by.map((breakdown) => fitted(keysText(breakdown), table.keysWidth)),
    ...(result.isFinal ? [] : [SO_FAR]),
  ].join('  ')
  return fitted(row.trimEnd(), table.width).trimEnd()
}

/** As wide as it may be, exactly. */
function fitted(text: string, width: number): string {
  if (width === Infinity) return text
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`
}

function timeText(us: number, { isByDay, timeZone }: VisitorTable, isEnd: boolean): string {
  const { year, month, day, hour, minute } = calendar(isByDay && isEnd ? us - 1 : us, timeZone)
  const two = (number: number) => String(number).padStart(2, '0')
  const date = `${year}-${two(month)}-${two(day)}`
  return isByDay ? date : `${date} ${two(hour)}:${two(minute)}`
}

/** `1,234`, or `1,234 ±12` where it is estimated. */
function countText({ value, low, high }: Count): string {
  const number = value.toLocaleString('en-US')
  return low === high ? number : `${number} ±${Math.ceil((high - low) / 2).toLocaleString('en-US')}`
}

function keysText({ top, other }: Breakdown): string {
  const named = top.slice(0, KEYS_SHOWN).map(({ key, visitors }) => {
    const text = printable(key)
    const short = text.length > KEY_LENGTH ? `${text.slice(0, KEY_LENGTH - 1)}…` : text
    return `${short} ${visitors.value.toLocaleString('en-US')}`
  })
  const more = top.length - named.length + other.keys.value
  return [...named, ...(more > 0 ? [`${more.toLocaleString('en-US')} more`] : [])].join(', ')
}

/** What a log holds must not steer a terminal. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '�')
}

export function visitorJson(result: VisitorResult): Readonly<Record<string, unknown>> {
  const { from, to, isFinal, by, ...counts } = result
  return {
    from: formatTimestamp(from),
    to: formatTimestamp(to),
    final: isFinal,
    ...counts,
    by: Object.fromEntries(by.map(({ field, top, other }) => [field, { top, other }])),
  }
}
