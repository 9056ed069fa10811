import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createTemplates,
  restoreTemplates,
  type TemplateEvent,
  type Templates,
} from './templates.ts'

const names = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay']
const login = (name: string) => `session opened for user ${name} by root`

const idOf = (templates: Templates, message: string) =>
  templates.templateOf(templates.add(message)).id

describe.each(['brook', 'drain'] as const)('ids of %s', (parser) => {
  test('are the same in every file and on every machine', () => {
    expect(idOf(createTemplates({ parser }), 'disk is full')).toBe('cb80de5a3f19f1d2')
    const later = createTemplates({ parser })
    for (const name of names) later.add(login(name))
    expect(idOf(later, 'disk is full')).toBe('cb80de5a3f19f1d2')
  })

  test('that were given lead to what they became', () => {
    const events: TemplateEvent[] = []
    const templates = createTemplates({ parser }, (event) => events.push(event))
    const first = idOf(templates, login('ada'))
    for (const name of names) templates.add(login(name))
    const now = templates.templateOf(templates.add(login('gus')))
    expect(now.text).toBe('session opened for user <*> by root')
    expect(templates.resolve(first)).toBe(now.id)
    expect(now.count).toBe(8)
    expect(events).toContainEqual({
      kind: 'first-seen',
      id: first,
      text: login('ada'),
      message: login('ada'),
    })
    expect(events.some((event) => event.kind === 'generalised' && event.id === now.id)).toBe(true)
  })

  test('and everything else survive a save', () => {
    const before = createTemplates({ parser })
    const first = idOf(before, login('ada'))
    for (const name of names) before.add(login(name))
    before.add('disk is full')
    const events: TemplateEvent[] = []
    const after = restoreTemplates(before.save(), (event) => events.push(event))
    expect(after.list()).toEqual(before.list())
    expect(after.parser).toBe(parser)
    expect(after.resolve(first)).toBe(before.resolve(first))
    after.add(login('gus'))
    after.add('disk is full')
    expect(events).toEqual([])
    after.add('fan stands still')
    expect(events.map(({ kind }) => kind)).toEqual(['first-seen'])
  })

  test('of templates that had to go are told', () => {
    const events: TemplateEvent[] = []
    const templates = createTemplates({ parser, settings: { groupsMax: 100 } }, (event) =>
      events.push(event),
    )
    for (let i = 0; i < 400; i++) {
      const word = (of: number) =>
        names[Math.floor(i / of) % 6].repeat(1 + (Math.floor(i / of) % 4))
      templates.add([1, 3, 7, 17, 41, 97].map(word).join(' '))
    }
    const evicted = events.filter(({ kind }) => kind === 'evicted')
    expect(templates.evicted).toBe(evicted.length)
    expect(templates.list().length).toBeLessThanOrEqual(100)
  })
})

test('each template is first seen once', () => {
  const word = fc.constantFrom(...names, '7', '10.0.0.7')
  const message = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '))
  fc.assert(
    fc.property(fc.array(message, { maxLength: 80 }), (messages) => {
      const seen: string[] = []
      const templates = createTemplates({ parser: 'brook' }, (event) => {
        if (event.kind === 'first-seen') seen.push(event.id)
      })
      for (const each of messages) templates.add(each)
      for (const { id } of templates.list()) {
        const leadsHere = seen.filter((each) => templates.resolve(each) === id)
        expect(leadsHere.length).toBeGreaterThan(0)
      }
      expect(new Set(seen).size).toBe(seen.length)
    }),
  )
})

test('parameters have their values and types', () => {
  const templates = createTemplates()
  const message = 'session 12 opened from 10.0.0.7 for (ada lovelace)'
  expect(templates.parametersOf(templates.add(message), message)).toEqual([
    { value: '12', type: 'number' },
    { value: '10.0.0.7', type: 'ip' },
  ])
})

describe('a saved file', () => {
  const saved = createTemplates()
  saved.add('disk is full')
  const bytes = saved.save()

  test.each([
    ['is empty', () => new Uint8Array()],
    ['is something else', () => new TextEncoder().encode('{"a":1}\n')],
    ['is of another version', () => edited('"version":1', '"version":9')],
    ['has another content', () => edited('disk', 'risk')],
    ['ends early', () => bytes.subarray(0, bytes.length - 9)],
  ])('that %s is refused', (_name, damaged) => {
    expect(() => restoreTemplates(damaged())).toThrow(/file/)
  })

  test('is read back whole', () => {
    expect(restoreTemplates(bytes).list()).toEqual(saved.list())
  })

  const edited = (from: string, to: string) =>
    new TextEncoder().encode(new TextDecoder().decode(bytes).replace(from, to))
})
