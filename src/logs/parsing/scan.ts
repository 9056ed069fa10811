// A message in one pass over its characters: words that stay, and between them what is known to vary
// by its form alone. What counts as varying here is what anyone who reads logs would say of any log:
// what has a digit in it, paths, addresses of hosts, dates, sizes. Nothing is tuned to one system.
import { VARIABLE } from './parser.ts'

/** Most tokens of a message that are told apart; the rest of a longer one varies as a whole. */
export const TOKENS_MAX = 256
/** Characters of a message that are looked at; what comes after them varies as a whole. */
export const CHARACTERS_MAX = 8192

/** No word of a statement is longer than this; what is, is data. */
const WORD_MAX = 128

/** The tokens of the message scanned last. Positions are in that message; the arrays are reused. */
export interface Scan {
  count: number
  readonly start: Int32Array
  readonly end: Int32Array
  readonly kind: Uint8Array
}

/** What a token is: a word, a mark, what varies, or a name with a varying argument: `LOCAL(0)`. */
export const kinds = { word: 0, mark: 1, variable: 2, call: 3 } as const

export function newScan(): Scan {
  return {
    count: 0,
    start: new Int32Array(TOKENS_MAX + 4),
    end: new Int32Array(TOKENS_MAX + 4),
    kind: new Uint8Array(TOKENS_MAX + 4),
  }
}

// Classes of characters, as bits, so that one look-up answers every question below.
const SPACE = 1
const MARK = 2
const DIGIT = 4
const LETTER = 8
const HEX = 16
/** Marks at which a path or an address ends. */
const CLOSING = 32
const OPENING = 64

const classes = new Uint8Array(128)
const mark = (characters: string, bits: number) => {
  for (const character of characters) classes[character.charCodeAt(0)] |= bits
}
mark(' \t\n\r\v\f\0', SPACE)
mark('=:,;()[]{}<>"\'|', MARK)
mark('0123456789', DIGIT | HEX)
mark('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', LETTER)
mark('abcdefABCDEF', HEX)
mark('"\'()[]{}<>,;|', CLOSING)
mark('([{', OPENING)

const [COLON, SLASH, BACKSLASH, DOT, OPEN, CLOSE] = [58, 47, 92, 46, 40, 41]
/** Marks that join values of a list, an address or a time; only `=`, quotes and brackets part them. */
const JOINING = new Set([...':,.|@#;-/+*~'].map((character) => character.charCodeAt(0)))

const months = new Set(
  'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec January February March April June July August September October November December'.split(
    ' ',
  ),
)
const weekdays = new Set('Mon Tue Wed Thu Fri Sat Sun'.split(' '))
/** What may stand behind a varying value and belongs to it: sizes, and the zone of a time. */
const suffixes = new Set(
  'B KB MB GB TB PB KiB MiB GiB TiB UTC GMT EST EDT CST CDT MST MDT PST PDT CET CEST'.split(' '),
)

function classOf(code: number): number {
  // No-break and other spaces of Unicode are rare enough to be part of words; letters all others.
  return code < 128 ? classes[code] : LETTER
}

/** Scans a message into `into`, which is returned. */
export function scanMessage(message: string, into: Scan): Scan {
  into.count = 0
  const length = Math.min(message.length, CHARACTERS_MAX)
  let at = 0
  while (at < length) {
    const code = message.charCodeAt(at)
    const bits = classOf(code)
    if (bits & SPACE) {
      at++
      continue
    }
    if (into.count >= TOKENS_MAX - 1) break
    if (code === DOT && message.charCodeAt(at + 1) === DOT) {
      while (message.charCodeAt(at) === DOT) at++
    } else if (bits & MARK) at = markAt(message, at, code, into)
    else at = tokenAt(message, at, length, into)
  }
  // What is too long or has too many tokens ends in one value.
  if (at < message.length && at >= length - 1) variable(message, at, message.length, into)
  else if (into.count >= TOKENS_MAX - 1) variable(message, at, message.length, into)
  return into
}

function markAt(message: string, at: number, code: number, into: Scan): number {
  push(into, at, at + 1, kinds.mark)
  if (code !== OPEN || message.charCodeAt(at + 1) !== CLOSE) return at + 1
  // Brackets round nothing, that stand alone, have a value that is missing here.
  const alone = at === 0 || classOf(message.charCodeAt(at - 1)) & SPACE
  if (alone) push(into, at + 1, at + 1, kinds.variable)
  push(into, at + 1, at + 2, kinds.mark)
  return at + 2
}

/** A token from `from` on; returns where it ends. */
function tokenAt(message: string, from: number, length: number, into: Scan): number {
  let [digits, letters, dots, slashes, hexOnly] = [0, 0, 0, 0, true]
  let at = from
  let isPath = message.charCodeAt(from) === SLASH
  for (; at < length; at++) {
    const code = message.charCodeAt(at)
    const bits = classOf(code)
    if (bits & SPACE) break
    if (isPath) {
      if (bits & CLOSING) break
      continue
    }
    if (bits & DIGIT) digits++
    else if (bits & LETTER) {
      letters++
      if (!(bits & HEX)) hexOnly = false
    } else if (code === COLON) {
      if (message.charCodeAt(at + 1) === SLASH && message.charCodeAt(at + 2) === SLASH) {
        isPath = true
      } else if (!joins(message, at, at - from, digits, dots, hexOnly)) break
    } else if (bits & MARK) {
      const closed = bits & OPENING && letters > 0 && digits === 0 ? argumentEnd(message, at) : 0
      if (closed > 0) {
        push(into, from, closed, kinds.call)
        return closed
      }
      break
    } else if (code === DOT) {
      const next = message.charCodeAt(at + 1)
      if (next === DOT) break
      if (classOf(next) & (LETTER | DIGIT)) dots++
    } else if (code === SLASH) slashes++
    else if (code === BACKSLASH && classOf(message.charCodeAt(at + 1)) & (LETTER | DIGIT)) {
      isPath = true
    } else if (code !== 45 && code !== 95 && code !== 43) hexOnly = false
  }
  const varies =
    digits > 0 ||
    (isPath && at - from > 1) ||
    dots >= 2 ||
    slashes >= 2 ||
    at - from > WORD_MAX ||
    (hexOnly && letters >= 8)
  if (varies) return variable(message, from, withoutTail(message, from, at), into)
  if (letters > 0) word(message, from, at, into)
  else push(into, from, at, kinds.mark)
  return at
}

/** Whether a colon is inside a value (an address with its port, a time, pairs of hex digits). */
function joins(
  message: string,
  at: number,
  before: number,
  digits: number,
  dots: number,
  hexOnly: boolean,
): boolean {
  const next = message.charCodeAt(at + 1)
  // Two colons are in an address of version 6 that leaves zeros out.
  if (next === COLON && digits > 0) return (classOf(message.charCodeAt(at + 2)) & HEX) !== 0
  if (!(next < 128) || classes[next] & (SPACE | MARK)) return false
  if (next === BACKSLASH) return true
  if (digits > 0) return (classes[next] & HEX) !== 0
  if (dots > 0) return (classes[next] & DIGIT) !== 0
  return hexOnly && before <= 4 && (classes[next] & HEX) !== 0
}

/** Where `(0)`, `{10111}` or `[3]` ends that has a digit and nothing that parts; 0 where it is none. */
function argumentEnd(message: string, open: number): number {
  let digits = 0
  for (let at = open + 1; at < message.length && at - open < 64; at++) {
    const bits = classOf(message.charCodeAt(at))
    if (bits & DIGIT) digits++
    else if (bits & SPACE) return 0
    else if (bits & MARK) return digits > 0 && bits & CLOSING && !(bits & OPENING) ? at + 1 : 0
  }
  return 0
}

/** Full stops and colons at the end of a value belong to the sentence. */
function withoutTail(message: string, from: number, to: number): number {
  let end = to
  while (end > from + 1) {
    const code = message.charCodeAt(end - 1)
    if (code !== DOT && code !== COLON) break
    end--
  }
  return end
}

function word(message: string, from: number, to: number, into: Scan): void {
  const last = into.count - 1
  // A unit or a zone goes with the value before it.
  if (to - from <= 4 && last >= 0 && into.kind[last] === kinds.variable) {
    const first = message.charCodeAt(from)
    if (first >= 65 && first <= 90 && suffixes.has(message.slice(from, to))) {
      into.end[last] = to
      return
    }
  }
  push(into, from, to, kinds.word)
}

/** A value; joined with the one before it where nothing but a joining mark stands between them. */
function variable(message: string, from: number, to: number, into: Scan): number {
  let start = from
  let last = into.count - 1
  if (last >= 0 && into.kind[last] === kinds.word && isDatePart(message, last, months, into)) {
    start = into.start[last]
    last = --into.count - 1
    if (last >= 0 && into.kind[last] === kinds.word && isDatePart(message, last, weekdays, into)) {
      start = into.start[last]
      last = --into.count - 1
    }
  }
  if (last >= 0 && into.kind[last] === kinds.variable) into.end[last] = to
  else if (
    last >= 1 &&
    into.kind[last - 1] === kinds.variable &&
    into.kind[last] === kinds.mark &&
    into.end[last] - into.start[last] === 1 &&
    JOINING.has(message.charCodeAt(into.start[last]))
  ) {
    into.count--
    into.end[last - 1] = to
  } else push(into, start, to, kinds.variable)
  return to
}

function isDatePart(
  message: string,
  token: number,
  names: ReadonlySet<string>,
  { start, end }: Scan,
): boolean {
  const first = message.charCodeAt(start[token])
  if (first < 65 || first > 90 || end[token] - start[token] > 9) return false
  return names.has(message.slice(start[token], end[token]))
}

function push(into: Scan, from: number, to: number, kind: number): void {
  const at = into.count++
  into.start[at] = from
  into.end[at] = to
  into.kind[at] = kind
}

/** What is equal for all messages of one shape: the words and marks, with `<*>` for what varies. */
export function tokensOfScan(message: string, { count, start, end, kind }: Scan): string[] {
  const tokens: string[] = []
  for (let i = 0; i < count; i++) {
    if (kind[i] === kinds.variable) tokens.push(VARIABLE)
    else if (kind[i] === kinds.call) tokens.push(callToken(message, start[i], end[i]))
    else tokens.push(message.slice(start[i], end[i]))
  }
  return tokens
}

/** `LOCAL(0)` is `LOCAL(<*>)`. */
function callToken(message: string, from: number, to: number): string {
  let open = from
  while (!(classOf(message.charCodeAt(open)) & OPENING)) open++
  return message.slice(from, open + 1) + VARIABLE + message[to - 1]
}

/** The same as one text, by which a shape is found again. */
export function keyOfScan(message: string, { count, start, end, kind }: Scan): string {
  let key = ''
  for (let i = 0; i < count; i++) {
    if (kind[i] === kinds.variable) key += '\x01'
    else if (kind[i] === kinds.call) key += `\x02${callToken(message, start[i], end[i])}`
    else key += `\x02${message.slice(start[i], end[i])}`
  }
  return key
}
