// A bank's web site as its access log tells: customers who come back, by day more than by night, search
// engines, and a program that reads prices. The same second always has the same lines.
import { createRandom, type Random } from 'assay'

const SECOND_US = 1_000_000
const MINUTE_S = 60
/** No visit lasts longer. */
const VISIT_MINUTES_MAX = 10
const CUSTOMERS = 40_000
/** Visits that begin in a minute in the middle of the day. */
const VISITS_A_MINUTE = 40

const countries = ['CH', 'CH', 'CH', 'CH', 'CH', 'DE', 'DE', 'FR', 'IT', 'AT', 'GB', 'US']
const agents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Mobile Safari/537.36',
  'Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/604.1',
]
const crawler = 'Mozilla/5.0 (compatible; ExampleBot/2.1; +http://example.org/bot)'
const scraper = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/119.0 Safari/537.36'

/** Pages that lead on, each to one of those behind it. */
const pages: Readonly<Record<string, readonly string[]>> = {
  '/': ['/login', '/mortgages', '/cards', '/branches', '/rates'],
  '/login': ['/accounts', '/accounts', '/login/help'],
  '/login/help': ['/login', '/contact'],
  '/accounts': ['/accounts/statements', '/payments/new', '/cards'],
  '/accounts/statements': ['/accounts', '/payments/new'],
  '/payments/new': ['/payments/confirm'],
  '/payments/confirm': ['/accounts', '/payments/new'],
  '/mortgages': ['/mortgages/calculator', '/contact', '/rates'],
  '/mortgages/calculator': ['/mortgages/calculator', '/contact'],
  '/cards': ['/cards/block', '/contact', '/accounts'],
  '/cards/block': ['/contact'],
  '/rates': ['/mortgages', '/'],
  '/branches': ['/contact'],
  '/contact': ['/'],
}

interface Request {
  readonly second: number
  readonly client: string
  readonly country: string
  readonly agent: string
  readonly path: string
  readonly status: number
  readonly message: string
}

/** Lines from an instant on, in microseconds UTC; without end. */
export function* siteLines(fromUs: number): Generator<{ timeUs: number; line: string }> {
  const fromS = Math.floor(fromUs / SECOND_US)
  const seconds = new Map<number, Request[]>()
  let minute = Math.floor(fromS / MINUTE_S) - VISIT_MINUTES_MAX
  for (let second = fromS; ; second++) {
    for (; minute <= Math.floor(second / MINUTE_S); minute++) {
      for (const request of requestsBegunIn(minute)) {
        if (request.second < fromS) continue
        const of = seconds.get(request.second) ?? []
        of.push(request)
        seconds.set(request.second, of)
      }
    }
    const requests = seconds.get(second) ?? []
    seconds.delete(second)
    for (const [index, request] of requests.entries()) {
      const timeUs = second * SECOND_US + index
      if (timeUs >= fromUs) yield { timeUs, line: lineOf(request) }
    }
  }
}

function lineOf({ second, ...fields }: Request): string {
  return JSON.stringify({ time: new Date(second * 1000).toISOString(), ...fields })
}

function requestsBegunIn(minute: number): Request[] {
  const random = createRandom(minute)
  const requests: Request[] = []
  for (let visits = visitsIn(minute, random); visits > 0; visits--) {
    requests.push(...visitOf(minute, random))
  }
  if (minute % 3 === 0) requests.push(...crawl(minute, random))
  if (minute % 1440 < 90) requests.push(...scrape(minute))
  return requests.toSorted((a, b) => a.second - b.second)
}

/** Least at four in the morning, UTC. */
function visitsIn(minute: number, random: Random): number {
  const day = (minute % 1440) / 1440
  const busy = 0.55 - 0.45 * Math.cos(2 * Math.PI * (day - 1 / 6))
  return Math.floor(VISITS_A_MINUTE * busy + random.next())
}

/** Some customers come every day, most now and then. */
function visitOf(minute: number, random: Random): Request[] {
  const customer = Math.floor(CUSTOMERS * random.next() ** 3)
  const person = createRandom(customer)
  const who = {
    client: `203.0.${Math.floor(customer / 250) % 250}.${(customer % 250) + 1}`,
    country: pick(countries, person),
    agent: pick(agents, person),
  }
  const last = (minute + VISIT_MINUTES_MAX) * MINUTE_S - 1
  const requests: Request[] = []
  let path = random.next() < 0.6 ? '/login' : '/'
  let second = minute * MINUTE_S + Math.floor(random.next() * MINUTE_S)
  while (second <= last) {
    requests.push({ second, ...who, path, ...answerOf(path, random) })
    if (random.next() < 0.25) break
    path = pick(pages[path], random)
    second += 2 + Math.floor(random.next() * 70)
  }
  return requests
}

function answerOf(path: string, random: Random): { status: number; message: string } {
  const ms = 20 + Math.floor(random.next() * 180)
  if (path === '/login' && random.next() < 0.06) {
    return {
      status: 401,
      message: `Sign-in refused: wrong code, attempt ${1 + Math.floor(random.next() * 3)}`,
    }
  }
  if (path === '/payments/confirm') {
    const amount = (10 + random.next() * 990).toFixed(2)
    return { status: 200, message: `Payment of ${amount} CHF taken in ${ms} ms` }
  }
  if (random.next() < 0.004) {
    return { status: 503, message: `Upstream core-banking timed out after ${ms * 20} ms` }
  }
  return { status: 200, message: `Page rendered in ${ms} ms` }
}

function crawl(minute: number, random: Random): Request[] {
  const who = { client: '198.51.100.7', country: 'US', agent: crawler, status: 200 }
  const path = pick(Object.keys(pages), random)
  const message = 'Page rendered in 40 ms'
  return [{ second: minute * MINUTE_S + 7, ...who, path, message }]
}

/** It says that it is a browser, and asks twice a second. */
function scrape(minute: number): Request[] {
  const who = { client: '192.0.2.44', country: 'GB', agent: scraper, path: '/rates', status: 200 }
  return Array.from({ length: 120 }, (_, i) => {
    const second = minute * MINUTE_S + Math.floor(i / 2)
    return { second, ...who, message: 'Page rendered in 21 ms' }
  })
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random.next() * from.length)]
}
