import type { Row } from '../../data/index.ts'
import type { Random } from '../../lib/random.ts'
import { createRandom } from '../../lib/random.ts'
import { DAY_US, HOUR_US } from '../../lib/time.ts'
import type { Fact } from '../oracle.cases.ts'

const SECOND_US = 1_000_000
const START_US = 1_700_000_000 * SECOND_US

/** As the sources of the vocabulary declare it. */
const lateUs = { payments: DAY_US, logins: 2 * DAY_US, customers: HOUR_US } as const
type Source = keyof typeof lateUs

/** Mean time between events; each holds for a while, so that rings grow long and short again. */
const pacesUs = [0, SECOND_US, 60 * SECOND_US, 200 * SECOND_US, 600 * SECOND_US, 4 * HOUR_US]

/**
 * Facts for the sources of the vocabulary whose entities have hundreds of live events: few customers
 * and merchants, bursts, ties, events as late as allowed, and quiet times in which rings empty.
 */
export function denseFacts(seed: number, count: number): Fact[] {
  const random = createRandom(seed)
  let paceUs = 60 * SECOND_US
  let now = START_US
  return Array.from({ length: count }, (_, index): Fact => {
    const holds = paceUs < HOUR_US ? 300 : 20
    if (random.int(holds) === 0) paceUs = pacesUs[random.int(pacesUs.length)]
    if (random.int(1500) === 0) now += 5 * DAY_US
    const name = sourceOf(random)
    const late = index > 0 && random.int(15) === 0
    const at = late ? now - random.int(lateUs[name]) : now + gapOf(random, paceUs)
    now = Math.max(now, at)
    const row: Row = [`${name}-${index}`, at, ...cells[name](random)]
    return name === 'payments' ? { kind: 'event', row } : { kind: 'event', row, source: name }
  })
}

function sourceOf(random: Random): Source {
  const drawn = random.int(12)
  return drawn > 2 ? 'payments' : drawn > 0 ? 'logins' : 'customers'
}

/** A tenth of the events come at the time of the one before, and half of them at whole seconds. */
function gapOf(random: Random, paceUs: number): number {
  if (random.int(10) === 0) return 0
  const gapUs = Math.floor(random.uniform(0, 2 * paceUs + 1))
  return random.int(2) === 0 ? gapUs : gapUs - (gapUs % SECOND_US)
}

const cells: Readonly<Record<Source, (random: Random) => Row>> = {
  payments: (random) => [
    customerOf(random),
    oneOf(random, ['a', 'b', undefined]),
    // Rising and falling stretches with many ties, and now and then an extreme.
    random.int(40) === 0 ? oneOf(random, [1e15, -1e15]) : random.int(50) * 100,
    maybe(random, Math.round(random.normal(0, 3)) / 4),
    maybe(random, random.int(2001) - 1000),
    random.int(1001),
    random.int(2),
    oneOf(random, ['online', 'shop', 'phone', undefined]),
    random.int(4) === 0 ? undefined : `C${random.int(300)}`,
    oneOf(random, ['C1', undefined]),
  ],
  logins: (random) => [
    customerOf(random),
    oneOf(random, ['a', 'b']),
    random.int(6),
    maybe(random, random.uniform(0, 10)),
  ],
  customers: (random) => [
    customerOf(random),
    maybe(random, random.int(1000)),
    oneOf(random, ['mass', 'gold', undefined]),
  ],
}

/** Nearly all events are of two customers. */
function customerOf(random: Random): number {
  return random.int(30) === 0 ? 3 + random.int(3) : 1 + random.int(2)
}

function maybe(random: Random, value: number): number | undefined {
  return random.int(8) === 0 ? undefined : value
}

function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[random.int(values.length)]
}
