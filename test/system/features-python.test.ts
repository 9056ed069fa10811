// The guide for Python, run as it is written against a server, and held against the same in JSON.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assay, makeProject, startServer, type Server } from '../cli/command-line.ts'
import { repositoryRoot } from '../source-text.ts'
import { needs, toolPath } from '../tools.ts'
import { createClient, type Client } from './client.ts'
import { eventually } from './server.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-python-'))
const keyFile = join(folder, 'analyst.key')
let server: Server | undefined
let client: Client

beforeAll(async () => {
  if (!needs('python')) return
  const project = makeProject(folder, 'my-bank', {
    'project.ts': [
      [
        "owner: 'Fraud analytics',",
        "owner: 'Fraud analytics',\n  example: true,\n  approvers: ['One (script)', 'Two (script)'],",
      ],
    ],
  })
  const home = join(folder, '.assay')
  server = await startServer(project, ['--home', home], /Try next|error:/)
  const made = assay(project, [
    'keys',
    'create',
    '--name',
    'Grace',
    '--program',
    '--role',
    'analyst',
    '--home',
    home,
  ])
  writeFileSync(keyFile, made.out)
  client = createClient(server.url, made.out.trim())
  // A replay that was just begun has its state a moment later.
  const question = { params: { set: 'behaviour' }, body: { rows: [{ customer_id: 5 }] } }
  await eventually('live values are answered', async () => {
    return (await client.send('liveFeatures', question)).ok
  })
}, 120_000)
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const guide = readFileSync(
  join(repositoryRoot, 'docs', 'guides', 'features-from-python.md'),
  'utf8',
)
const blocks = [...guide.matchAll(/^```python\n([^]*?)^```/gm)].map(([, code]) => code)

/** What the guide's code made, said in JSON. */
const tell = `
import json


def plain(table):
    return {"columns": list(table.columns), "data": table.values.tolist()}


print("===")
print(json.dumps({
    "training": plain(training.assign(paid_at=training["paid_at"].map(lambda t: t.isoformat()))),
    "types": {name: str(kind) for name, kind in training.dtypes.items()},
    "labelled": plain(labelled.astype(object).where(labelled.notna(), None)),
    "live": live,
    "audit": audit,
}))
`

interface Told {
  readonly training: { readonly columns: string[]; readonly data: unknown[][] }
  readonly types: Readonly<Record<string, string>>
  readonly labelled: { readonly columns: string[]; readonly data: unknown[][] }
  readonly live: { readonly columns: string[]; readonly rows: unknown[][] }
  readonly audit: { readonly holds: boolean; readonly compared: number }
}

test.skipIf(!needs('python'))(
  'the guide’s code runs, and pandas has the values that JSON has',
  { timeout: 60_000 },
  async () => {
    const told = JSON.parse((await python([...blocks, tell].join('\n'))).split('===\n')[1]) as Told
    const rows = [
      { customer_id: 5, shop_id: 3, paid_at: '2026-03-01T12:00:00Z', amount: '25.00' },
      { customer_id: 7, shop_id: 3, paid_at: '2026-03-02T09:30:00Z', amount: '110.50' },
      { customer_id: 5, shop_id: 4, paid_at: '2026-02-20T18:00:00Z', amount: '9.99' },
    ]
    const answer = await client.ask('featureHistory', {
      params: { set: 'behaviour' },
      body: { rows },
      headers: { accept: 'application/json' },
    })
    expect(told.training.columns).toEqual(answer.columns)
    const withTime = told.training.data.map((row) => [
      String(row[0]).replace('+00:00', 'Z'),
      ...row.slice(1),
    ])
    expect(withTime).toEqual(answer.rows)
    expect(told.types).toMatchObject({
      paid_at: expect.stringMatching(/^datetime64\[\w+, UTC\]$/) as string,
      customer_id: 'int64',
      customer_mean_amount_30d: 'float64',
    })
    expect(told.labelled.columns.at(-1)).toBe('fraud')
    expect(told.labelled.data).toHaveLength(200)
    expect(told.live.rows).toHaveLength(2)
    expect(told.audit).toMatchObject({ holds: true })
  },
)

/** Runs a program to its end; what it prints. */
function python(program: string): Promise<string> {
  const child = spawn(toolPath('python'), ['-'], {
    env: { ...process.env, ASSAY_URL: server!.url, ASSAY_KEY_FILE: keyFile },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  child.stdin.end(program)
  return new Promise((resolve, reject) => {
    child.once('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`${err}\n${out}`))))
  })
}
