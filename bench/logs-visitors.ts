// Unique visitors: two million requests of about 491,000 visitors, against a set.
import { monotonicUs } from '../src/lib/clock.ts'
import { createRandom } from '../src/lib/random.ts'
import { BloomFilter, HyperLogLog } from '../src/lib/sketches/index.ts'
import { DAY_US, HOUR_US } from '../src/lib/time.ts'
import {
  hash53,
  keepVisitors,
  lineFormats,
  VisitorStream,
  type VisitorResult,
} from '../src/logs/index.ts'
import { faultyFiles } from '../src/lib/faulty-files.ts'
import type { Figures } from './run.ts'

const EVENTS = 2_000_000
/** Of so many, each as likely as every other, 491,000 come at least once. */
const VISITORS = 500_000
const STARTED_US = 1_780_000_000_000_000 - (1_780_000_000_000_000 % DAY_US)

interface Requests {
  readonly visitors: readonly string[]
  readonly pages: readonly string[]
}

/** Names of figures begin with `visitors_`. All on one core; rates are of the processor's time. */
export function measureVisitors(say: (line: string) => void): Promise<Figures> {
  return measured(requests(), say)
}

async function measured(
  { visitors, pages }: Requests,
  say: (line: string) => void,
): Promise<Figures> {
  const set = timed(() => new Set(visitors).size)
  const exact = set.result
  const sketch = timed(() => {
    const counted = new HyperLogLog(14)
    for (const visitor of visitors) counted.add(visitor)
    return counted
  })
  const bloom = timed(() => {
    const filter = BloomFilter.of({ capacity: VISITORS })
    let fresh = 0
    for (const visitor of visitors) if (filter.add(visitor)) fresh++
    return { filter, fresh }
  })
  say(`${exact} visitors in ${EVENTS} requests`)
  const plain = streamed(visitors, undefined)
  const broken = streamed(visitors, pages)
  const day = broken.results[0]
  const home = new Set(visitors.filter((_, i) => pages[i] === '/')).size
  return {
    visitors_events: EVENTS,
    visitors_exact: exact,
    visitors_estimate: day.visitors.value,
    visitors_error_percent: percent(day.visitors.value, exact),
    visitors_sliding_error_percent: percent(slidingEstimate(visitors), exact),
    visitors_events_per_s_core: plain.perSecond,
    visitors_by_page_events_per_s_core: broken.perSecond,
    visitors_state_bytes: await stateBytes(visitors, undefined),
    visitors_by_page_state_bytes: await stateBytes(visitors, pages),
    visitors_first_seen_error_percent: percent(day.firstSeen.value, exact),
    visitors_top_page_error_percent: percent(day.by[0].top[0].visitors.value, home),
    visitors_hll_error_percent: percent(sketch.result.estimate(), exact),
    visitors_hll_bytes: sketch.result.toBytes().length,
    visitors_hll_events_per_s_core: sketch.perSecond,
    visitors_bloom_counter_error_percent: percent(bloom.result.fresh, exact),
    visitors_bloom_estimate_error_percent: percent(bloom.result.filter.estimate().keys, exact),
    visitors_bloom_bytes: bloom.result.filter.bytes,
    visitors_bloom_events_per_s_core: bloom.perSecond,
    visitors_set_events_per_s_core: set.perSecond,
    visitors_lines_per_s_core: linesPerSecond(),
  }
}

function requests(): Requests {
  const random = createRandom(7)
  const visitors = Array.from({ length: EVENTS }, () => {
    const id = Math.floor(random.next() * VISITORS)
    return `10.${id >>> 16}.${(id >>> 8) & 255}.${id & 255} Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/151.0`
  })
  const pages = visitors.map(() => {
    const drawn = random.next()
    return drawn < 0.2 ? '/' : `/page/${Math.floor(drawn ** 4 * 100_000)}`
  })
  return { visitors, pages }
}

function streamed(
  visitors: readonly string[],
  pages: readonly string[] | undefined,
): { readonly results: readonly VisitorResult[]; readonly perSecond: number } {
  const { result, perSecond } = timed(() => {
    const stream = counted(visitors, pages)
    return stream.end()
  })
  return { results: result, perSecond }
}

/** All in one day, which is not final yet. */
function counted(visitors: readonly string[], pages: readonly string[] | undefined): VisitorStream {
  const stream = new VisitorStream({ everyUs: DAY_US, by: pages === undefined ? [] : ['page'] })
  for (let i = 0; i < visitors.length; i++) {
    stream.add({
      timeUs: STARTED_US + Math.floor((i / visitors.length) * 20 * HOUR_US),
      visitor: hash53(visitors[i]),
      isBot: false,
      isSuspect: false,
      keys: pages === undefined ? [] : [pages[i]],
    })
  }
  return stream
}

/** Of the last window of 24 hours, merged of the slots of all hours. */
function slidingEstimate(visitors: readonly string[]): number {
  const stream = new VisitorStream({ everyUs: HOUR_US, windowUs: DAY_US })
  for (let i = 0; i < visitors.length; i++) {
    const timeUs = STARTED_US + Math.floor((i / visitors.length) * 20 * HOUR_US)
    stream.add({ timeUs, visitor: hash53(visitors[i]), isBot: false, isSuspect: false, keys: [] })
  }
  return stream.end().at(-1)!.visitors.value
}

/** What is kept of it on disk. */
async function stateBytes(
  visitors: readonly string[],
  pages: readonly string[] | undefined,
): Promise<number> {
  const files = faultyFiles()
  await files.makeDirectory('/kept')
  const stream = counted(visitors, pages)
  await keepVisitors('/kept/state', { stream, place: {}, format: 'combined' }, files)
  return files.bytes('/kept/state').length
}

/** From the line on: a web server's, read into its fields, told who came. */
function linesPerSecond(): number {
  const combined = lineFormats.find(({ name }) => name === 'combined')!
  const read = combined.reader({ timeZone: 'UTC', readUs: () => STARTED_US })
  const lines = Array.from(
    { length: 300_000 },
    (_, i) =>
      `10.0.${(i >>> 8) & 255}.${i & 255} - - [17/May/2026:10:${String(Math.floor(i / 6000)).padStart(2, '0')}:03 +0000] "GET /page/${i % 977}?a=${i} HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/151.0"`,
  )
  const { perSecond } = timed(() => {
    const stream = new VisitorStream({ everyUs: HOUR_US, by: ['path'] })
    for (const line of lines) {
      const { timeUs, fields } = read(line)!
      const visitor = hash53(`${fields['client']} ${fields['agent']}`)
      stream.add({
        timeUs: timeUs!,
        visitor,
        isBot: false,
        isSuspect: false,
        keys: [fields['path']],
      })
    }
    return stream.end()
  }, lines.length)
  return perSecond
}

/** The best of three, after one that warms up. */
function timed<T>(
  act: () => T,
  events = EVENTS,
): { readonly result: T; readonly perSecond: number } {
  let result = act()
  let best = Infinity
  for (let round = 0; round < 3; round++) {
    const started = monotonicUs()
    result = act()
    best = Math.min(best, monotonicUs() - started)
  }
  return { result, perSecond: Math.round(events / (best / 1e6)) }
}

function percent(estimate: number, exact: number): number {
  return Number((100 * (estimate / exact - 1)).toFixed(3))
}
