// Runs one measurement: `npm run -s bench -- NAME --data FILE --json`. What it finds goes to
// standard output, as a table or, with --json, as one JSON object on the last line; progress goes
// to standard error. A measurement is a file of this folder that exports `run`; a file with a dash
// in its name is a part of one.
import { existsSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AssayError } from '../src/lib/errors.ts'

/** What the command line says: `--data FILE`, and `--name value` for what one measurement takes. */
export interface BenchOptions {
  readonly data?: string
  readonly [name: string]: string | undefined
}

/** Figures by name, in the order in which they are read: a rate, a time with its unit, a count. */
export type Figures = Readonly<Record<string, number | string | null>>

/** What a measurement exports. `say` tells on standard error how far it is. */
export interface Bench {
  readonly run: (options: BenchOptions, say: (line: string) => void) => Promise<Figures>
}

const names = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z]+\.ts$/.test(file) && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .toSorted()

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args
  if (!names.includes(name)) {
    say(
      `Say what to measure: ${names.join(', ')}. For example: npm run -s bench -- ${names[0]} --json`,
    )
    return 2
  }
  const { json, options } = readOptions(rest)
  if (options.data !== undefined && !existsSync(options.data)) {
    say(`There is no file ${options.data}.`)
    return 2
  }
  try {
    const bench = (await import(`./${name}.ts`)) as Bench
    const figures = await bench.run(options, say)
    process.stdout.write(json ? `${JSON.stringify(figures)}\n` : table(figures))
    return 0
  } catch (error) {
    if (!(error instanceof AssayError)) throw error
    say(`${error.title}: ${error.detail}\n${error.action}`)
    return 1
  }
}

function readOptions(args: string[]): { json: boolean; options: BenchOptions } {
  const { tokens } = parseArgs({ args, strict: false, tokens: true, allowPositionals: true })
  const options: Record<string, string> = {}
  let json = false
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'option') continue
    const next = tokens[index + 1]
    const value = token.value ?? (next?.kind === 'positional' ? next.value : undefined)
    if (token.name === 'json') json = true
    else options[token.name] = value ?? 'true'
  }
  return { json, options }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function table(figures: Figures): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length))
  return Object.entries(figures)
    .map(([name, value]) => `${name.padEnd(width)}  ${value}\n`)
    .join('')
}
