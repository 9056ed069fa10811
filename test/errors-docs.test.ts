// The reference page of errors and the table of errors are the same. After a change of the table:
// `UPDATE=1 npm test -- test/errors-docs.test.ts` writes the page anew.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { allErrors } from '../src/lib/errors.ts'
import { readSources, repositoryRoot } from './source-text.ts'

const page = join(repositoryRoot, 'docs', 'reference', 'errors.md')
const introduction = `# Errors

Every failure that Assay expects has a code, which programs may rely on, and says what to do. Over HTTP it is a problem document (RFC 9457) of type \`urn:assay:error:CODE\` with the status below; at the command line it is a line that says what happened and one that says what to do, with the code in brackets. The \`detail\` of an occurrence adds the values that matter. Codes are added, never renamed ([0011](../decisions/0011-errors.md)).

This page is written from the table of errors and checked against it by \`test/errors-docs.test.ts\`.
`

/** Every module that adds to the table, wherever it stands. */
beforeAll(async () => {
  const files = [...readSources(['src'])].filter(
    ([path, text]) => /\bdefineErrors\(\{/.test(text) && !/\.(test|cases)\.ts$/.test(path),
  )
  for (const [path] of files) await import(pathToFileURL(join(repositoryRoot, path)).href)
})

test('every error is documented as it is in the table, and nothing else is', () => {
  const expected = `${introduction}\n${table()}\n`
  if (process.env['UPDATE'] === '1') writeFileSync(page, expected)
  expect(readFileSync(page, 'utf8')).toBe(expected)
})

test('the table is really seen: every room adds to it', () => {
  expect(allErrors().length).toBeGreaterThan(100)
})

test('every error says what happened and what to do, in full sentences', () => {
  for (const { code, status, title, action } of allErrors()) {
    expect(title, code).toMatch(/^[A-Z].*[^.]$/s)
    expect(action, code).toMatch(/^[A-Z].*\.$/s)
    expect(status, code).toBeGreaterThanOrEqual(400)
    expect(status, code).toBeLessThan(600)
  }
})

function table(): string {
  const rows = allErrors().map(
    ({ code, status, title, action }) =>
      `| \`${code}\` | ${status} | ${cell(title)} | ${cell(action)} |`,
  )
  return ['| code | status | what happened | what to do |', '|---|---|---|---|', ...rows].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
