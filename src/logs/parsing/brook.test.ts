import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { needs, sharedData } from '../../../test/tools.ts'
import { createBrook, type BrookSettings } from './brook.ts'
import { groupingAccuracy } from './grouping.ts'
import { CONTENT, parseHeaderFormat } from './header.ts'
import { groupNow, type LogGroup } from './parser.ts'
import { parseDrainSettings } from './settings.ts'

const systems = [
  'Android',
  'Apache',
  'BGL',
  'HDFS',
  'HPC',
  'Hadoop',
  'OpenSSH',
  'Spark',
  'Windows',
  'Zookeeper',
]

function parsed(messages: readonly string[], settings?: BrookSettings): LogGroup[] {
  const brook = createBrook(settings)
  return messages.map((message) => brook.add(message)).map(groupNow)
}

const texts = (messages: readonly string[], settings?: BrookSettings) =>
  parsed(messages, settings).map(({ text }) => text)

describe.skipIf(!needs('shared-data'))('on labelled logs, with one setting for all', () => {
  const read = (file: string) => {
    const bytes = readFileSync(sharedData('loghub_2k', file))
    return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  }
  const load = (system: string) => {
    const settings = read('drain_benchmark_settings.json')
    const header = parseHeaderFormat(parseDrainSettings(settings, { system, file: system }).format!)
    const content = header.fields.indexOf(CONTENT)
    const messages = read(`${system}_2k.log.gz`)
      .split('\n')
      .flatMap((line) => header.read(line.trim())?.[content] ?? [])
    const rows = read(`${system}_2k.log_structured.csv.gz`).trimEnd().split('\n').slice(1)
    return { messages, labels: rows.map((row) => /,(E\d+),/.exec(row)![1]) }
  }

  test('the lines of one statement are put together, in whatever order they come', () => {
    const accuracies = systems.map((system) => {
      const { messages, labels } = load(system)
      const accuracy = groupingAccuracy(texts(messages), labels)
      const backwards = groupingAccuracy(texts(messages.toReversed()), labels.toReversed())
      expect(Math.abs(backwards - accuracy), system).toBeLessThan(0.02)
      return accuracy
    })
    const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / systems.length
    expect(mean).toBeGreaterThanOrEqual(0.98)
    expect(Math.min(...accuracies)).toBeGreaterThanOrEqual(0.95)
  })
})

const names = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gus', 'hal']

describe('words in one place', () => {
  const login = (name: string) => `session opened for user ${name} by root`

  test('are values where there are many of them', () => {
    expect(new Set(texts(names.slice(0, 5).map(login)))).toEqual(
      new Set(['session opened for user <*> by root']),
    )
  })

  test('make statements of their own where there are few', () => {
    expect(new Set(texts(names.slice(0, 4).map(login))).size).toBe(4)
  })

  test('are values where few of them vary in several places alike', () => {
    const logout = (name: string) => `session closed for user ${name} at last`
    const few = names.slice(0, 3)
    expect(new Set(texts([...few.map(login), ...few.map(logout)])).size).toBe(2)
  })

  test('are values where numbers stand in the same place', () => {
    expect(new Set(texts(['waits for lock 12 of main', 'waits for lock none of main'])).size).toBe(
      1,
    )
  })

  test('are statements where nothing else stays', () => {
    expect(new Set(texts(names.map((name) => `${name} 7`))).size).toBe(names.length)
  })

  test('behind equals signs are values together', () => {
    const messages = names.map((name, i) => `lock tag=${name} owner=${names[(i * 3) % 8]} held`)
    expect(new Set(texts(messages))).toEqual(new Set(['lock tag=<*> owner=<*> held']))
  })
})

/** Statements with values in them, as programs write them. */
const statement = fc
  .array(fc.constantFrom('alpha', 'beta', 'gamma', 'delta', 'kappa', 'sigma'), {
    minLength: 3,
    maxLength: 6,
  })
  .map((words) => words.join(' '))
const message = fc
  .tuple(statement, fc.constantFrom(...names, '7', '10.0.0.7'))
  .map(([words, value]) => `${words} is ${value} now`)

test('every message is counted once, in a group that is listed', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
      const brook = createBrook()
      const groups = messages.map((each) => brook.add(each))
      const listed = brook.groups()
      expect(listed.reduce((sum, { count }) => sum + count, 0)).toBe(messages.length)
      for (const group of groups) expect(listed).toContain(groupNow(group))
    }),
  )
})

test('a message that came before comes into the same group again', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 60 }), (messages) => {
      const brook = createBrook()
      for (const each of messages) brook.add(each)
      const first = messages.map((each) => groupNow(brook.add(each)).id)
      const again = messages.map((each) => groupNow(brook.add(each)).id)
      expect(again).toEqual(first)
    }),
  )
})

test('messages of one shape are never parted', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60 }), fc.nat(99), (messages, number) => {
      const twins = messages.map((each) => each.replace(/\b7\b/, String(number)))
      const groups = parsed([...messages, ...twins])
      messages.forEach((each, i) => {
        if (/ is (7|10\.0\.0\.7) now/.test(each)) {
          expect(groups[i]).toBe(groups[i + messages.length])
        }
      })
    }),
  )
})

describe('more templates than are kept', () => {
  const flood = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const word = (of: number) => names[(i >> of) % 8].repeat(1 + ((i >> (of + 3)) % 5))
      return [0, 2, 4, 6, 8, 10].map(word).join(' ')
    })

  test('those not seen for longest go, and what comes again and again stays', () => {
    const brook = createBrook({ groupsMax: 100 })
    const steady = brook.add('job 1 finished well')
    for (const each of flood(5000)) {
      brook.add(each)
      brook.add('job 2 finished well')
    }
    expect(brook.groups().length).toBeLessThanOrEqual(100)
    expect(brook.evicted).toBeGreaterThan(100)
    expect(brook.groups()).toContain(steady)
    expect(steady.count).toBe(5001)
  })
})

test('a parser that is restored goes on as if it had never stopped', () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 60 }),
      fc.array(message, { maxLength: 30 }),
      (before, after) => {
        const whole = createBrook()
        for (const each of before) whole.add(each)
        const state = whole.state()
        if (state.parser !== 'brook') throw new Error('another parser')
        const restored = createBrook(state.settings, {}, structuredClone(state))
        const told = ({ text, count }: LogGroup) => ({ text, count })
        expect(restored.groups().map(told)).toEqual(whole.groups().map(told))
        for (const each of after) {
          expect(groupNow(restored.add(each)).text).toBe(groupNow(whole.add(each)).text)
        }
      },
    ),
  )
})
