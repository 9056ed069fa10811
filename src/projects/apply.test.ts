import { expect, test } from 'vitest'
import tiny from '../../test/projects/tiny/project.ts'
import { systemActor } from '../access/index.ts'
import type { NewAuditEntry } from '../audit/index.ts'
import { manualClock } from '../lib/clock.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryProjectStore, createProjects } from './apply.ts'
import { compileProject } from './declare.ts'

test('a project is applied once a version, each with an audit entry that names the one before', async () => {
  const entries: NewAuditEntry[] = []
  const audit = {
    append: async (entry: NewAuditEntry) => {
      entries.push(entry)
      return { ...entry, index: entries.length - 1, id: 'x', atUs: 0 }
    },
  }
  const projects = createProjects({
    store: createMemoryProjectStore(),
    unit: createMemoryUnitOfWork([]),
    audit,
    clock: manualClock(5),
  })
  const by = { actor: systemActor, reason: 'A test' }
  expect(await projects.current()).toBeUndefined()
  const first = compileProject(tiny)
  const second = compileProject({ ...tiny, seed: 8 })
  for (const each of [first, first, second]) await projects.apply(each, by)
  expect(await projects.current()).toEqual({
    project: second,
    appliedAtUs: 5,
    appliedBy: systemActor.id,
  })
  expect(entries.map(({ action, details }) => [action, details])).toEqual([
    ['projects.applied', { version: first.version, before: null }],
    ['projects.applied', { version: second.version, before: first.version }],
  ])
})

test('a project that is only written differently keeps its new text without an entry', async () => {
  const entries: NewAuditEntry[] = []
  const audit = {
    append: async (entry: NewAuditEntry) => {
      entries.push(entry)
      return { ...entry, index: entries.length - 1, id: 'x', atUs: 0 }
    },
  }
  const projects = createProjects({
    store: createMemoryProjectStore(),
    unit: createMemoryUnitOfWork([]),
    audit,
    clock: manualClock(5),
  })
  const by = { actor: systemActor, reason: 'A test' }
  const declared = (text: string) => ({ files: [{ path: 'features.ts', text }], places: [] })
  const project = compileProject(tiny)
  await projects.apply({ ...project, declarations: declared('a') }, by)
  await projects.apply({ ...project, declarations: declared('b') }, by)
  expect((await projects.current())?.project.declarations).toEqual(declared('b'))
  expect(entries).toHaveLength(1)
})
