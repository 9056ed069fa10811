import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { needs } from '../../../test/tools.ts'
import { createDrain } from './drain.ts'
import { groupingAccuracy } from './grouping.ts'
import { CONTENT, parseHeaderFormat } from './header.ts'

const folder = new URL('../../../../shared/data/loghub_2k/', import.meta.url)
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

describe.skipIf(!needs('shared-data'))('Drain with the published settings', () => {
  interface Settings {
    log_format: string
    regex: string[]
    st: number
    depth: number
  }
  const settings = JSON.parse(
    readFileSync(new URL('drain_benchmark_settings.json', folder), 'utf8'),
  ) as Record<string, Settings>
  const published = new Map(
    readFileSync(new URL('published_parser_benchmark.csv', folder), 'utf8')
      .split('\n')
      .map((line) => line.trim().split(','))
      .filter(([parser]) => parser === 'Drain')
      .map(([, system, , accuracy]) => [system, Number(accuracy)]),
  )
  test.each(systems)('groups the lines of %s as published', (system) => {
    const { log_format, regex, st, depth } = settings[system]
    const header = parseHeaderFormat(log_format)
    const content = header.fields.indexOf(CONTENT)
    const drain = createDrain({ masks: regex, similarity: st, depth })
    const lines = gunzipSync(readFileSync(new URL(`${system}_2k.log.gz`, folder))).toString('utf8')
    const groups = lines.split(/\r?\n/).flatMap((line) => {
      const fields = header.read(line.trim())
      return fields === undefined ? [] : [drain.add(fields[content])]
    })
    const rows = gunzipSync(
      readFileSync(new URL(`${system}_2k.log_structured.csv.gz`, folder)),
    ).toString('utf8')
    const labels = rows
      .trimEnd()
      .split(/\r?\n/)
      .slice(1)
      .map((row) => /,(E\d+),/.exec(row)![1])
    expect(groups.length).toBe(labels.length)
    const found = groups.map(({ template }) => template.join(' '))
    expect(groupingAccuracy(found, labels)).toBeCloseTo(published.get(system)!, 10)
  })
})

test('a message of any length is masked at once', () => {
  const drain = createDrain({ masks: ['([\\w-]+\\.){2,}[\\w-]+'] })
  expect(drain.add('x'.repeat(1_000_000)).template.length).toBe(1)
})
