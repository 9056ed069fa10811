// Back-tests that were asked for and have not ended, one JSON file each, so that no fall of the process
// that runs them loses one.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../lib/files.ts'
import type { BacktestAsked } from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'

export interface OpenBacktest {
  readonly id: string
  readonly asked: BacktestAsked
  readonly actor: string
  readonly askedAtUs: number
  /** How often it was begun and had not ended when the process did. */
  readonly begun: number
}

export interface OpenBacktests {
  /** Keeps one, in the place of what was kept of it. */
  keep(backtest: OpenBacktest): Promise<void>
  forget(id: string): Promise<void>
  /** Oldest first; what is no such file, or damaged, is left out. */
  list(): Promise<OpenBacktest[]>
}

export function openBacktestFiles(home: Pick<Home, 'root'>): OpenBacktests {
  const directory = join(home.root, 'backtests', 'asked')
  const fileOf = (id: string) => join(directory, `${id}.json`)
  // Writes of one file must not overtake each other.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const done = last.then(act)
    last = done.catch(() => undefined)
    return done
  }
  return {
    keep: (backtest) =>
      inTurn(async () => {
        await mkdir(directory, { recursive: true })
        await writeFileAtomic(fileOf(backtest.id), Buffer.from(JSON.stringify(backtest)))
      }),
    forget: (id) => inTurn(() => rm(fileOf(id), { force: true })),
    async list() {
      await mkdir(directory, { recursive: true })
      const names = (await readdir(directory)).filter((name) => name.endsWith('.json'))
      const found = await Promise.all(names.map((name) => read(join(directory, name))))
      return found
        .flatMap((each) => each ?? [])
        .toSorted((a, b) => a.askedAtUs - b.askedAtUs || (a.id < b.id ? -1 : 1))
    },
  }
}

async function read(file: string): Promise<OpenBacktest | undefined> {
  try {
    const { id, asked, actor, askedAtUs, begun } = JSON.parse(
      await readFile(file, 'utf8'),
    ) as OpenBacktest
    const isWhole = file.endsWith(`${id}.json`) && typeof asked.policy === 'string'
    return isWhole ? { id, asked, actor, askedAtUs, begun } : undefined
  } catch {
    return undefined
  }
}
