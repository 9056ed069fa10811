// docs/start.md tells a newcomer what to write for a file of their own. Here it is written.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { assay, makeProject } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-start-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const page = readFileSync(join(repositoryRoot, 'docs', 'start.md'), 'utf8')
const [sources, features] = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code)
const header = /^ {4}(ref,.*)\n {4}(A-1,.*)$/m.exec(page)!

test('the page’s contract and features train a model on a file like the page’s', async () => {
  const project = makeProject(folder, 'my-bank')
  await writeOwnFile(project)
  writeFileSync(join(project, 'sources.ts'), sources)
  const before = readFileSync(join(project, 'features.ts'), 'utf8')
  writeFileSync(join(project, 'features.ts'), before.replace(/\n\]\)\n$/, `\n${features}])\n`))
  const { code, out, err } = assay(project, ['run', '--data', 'payments.csv'])
  expect(err).toBe('')
  expect(code).toBe(0)
  // The page's own row has the template's columns in the page's words, and is accepted as well.
  expect(out).toMatch(/Data +[\d,]+ rows, 0 in quarantine/)
  expect(out).toMatch(/11 features; live equals history: 0 differences/)
})

/** The template's payments, in the words of the page. */
async function writeOwnFile(project: string): Promise<void> {
  const { simulatePayments } = (await import(pathToFileURL(join(project, 'data.ts')).href)) as {
    simulatePayments(from: string, days: number, seed: number): Iterable<string>
  }
  const lines = [...simulatePayments('2026-01-01T00:00:00Z', 98, 7)].join('').trimEnd().split('\n')
  const own = lines.slice(1).map((line) => {
    const [id, time, customer, shop, ...rest] = line.split(',')
    const local = time.slice(0, 19).replace('T', ' ')
    return [`B-${id}`, local, customer, `shop-${shop}`, ...rest].join(',')
  })
  writeFileSync(join(project, 'payments.csv'), [header[1], header[2], ...own, ''].join('\n'))
}
