// Finished back-tests, one JSON file each, named by the hash of what they found and on what.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../lib/files.ts'
import { contentHash } from '../lib/hash.ts'
import type { BacktestEvidence, BacktestSummary, KeptBacktest } from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'

export interface BacktestFiles {
  /** Keeps a result; one that was found before is kept as it was first. */
  keep(
    evidence: BacktestEvidence,
    of: Pick<KeptBacktest, 'title' | 'actor' | 'atUs' | 'seconds'>,
  ): Promise<KeptBacktest>
  /** Undefined where there is none, or its content is not what its name says. */
  get(hash: string): Promise<KeptBacktest | undefined>
  /** The newest of a draft's policy, by the hash of that; what an approval of it can name. */
  newestOf(version: string): Promise<{ hash: string; summary: string } | undefined>
  /** Newest first. */
  list(): Promise<BacktestSummary[]>
}

/** The newest so many are kept. */
const KEPT_MAX = 500

export function backtestFiles(home: Pick<Home, 'root'>): BacktestFiles {
  const directory = join(home.root, 'backtests')
  const fileOf = (hash: string) => join(directory, `${hash}.json`)

  async function get(hash: string): Promise<KeptBacktest | undefined> {
    if (!/^[0-9a-f]{64}$/.test(hash)) return undefined
    let text: string
    try {
      text = await readFile(fileOf(hash), 'utf8')
    } catch (error) {
      if (ABSENT.has(codeOf(error))) return undefined
      throw error
    }
    return keptIn(text, hash)
  }

  /** Those that can be read: one that is damaged ends no list of the others. */
  async function all(): Promise<KeptBacktest[]> {
    await mkdir(directory, { recursive: true })
    const found: KeptBacktest[] = []
    for (const name of await readdir(directory)) {
      if (!name.endsWith('.json')) continue
      const kept = await get(name.slice(0, -'.json'.length)).catch((error: unknown) => {
        if (UNREADABLE.has(codeOf(error))) return undefined
        throw error
      })
      if (kept !== undefined) found.push(kept)
    }
    return found.toSorted((a, b) => b.atUs - a.atUs)
  }

  return {
    get,
    async keep(evidence, of) {
      const hash = contentHash(evidence)
      const known = await get(hash)
      if (known !== undefined) return known
      const kept = { hash, ...of, evidence }
      const before = await all()
      await writeFileAtomic(fileOf(hash), Buffer.from(JSON.stringify(kept)))
      for (const each of before.slice(KEPT_MAX - 1)) await rm(fileOf(each.hash), { force: true })
      return kept
    },
    async newestOf(version) {
      const found = (await all()).find(({ evidence }) => evidence.draft.policy === version)
      if (found === undefined) return undefined
      const { hash, events, changed, over } = summaryOf(found)
      const what = over.kind === 'records' ? 'recorded decisions' : 'events of history'
      const many = (n: number) => n.toLocaleString('en-US')
      const { namespace } = found.evidence
      const where = namespace === undefined ? '' : ` in namespace ${namespace}`
      const summary = `Back-tested on ${many(events)} ${what}${where}: ${many(changed)} answered otherwise`
      return { hash, summary }
    },
    list: async () => (await all()).map(summaryOf),
  }
}

/** No file of that name, or a folder. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'EISDIR'])
/** One file that this process may not read, or whose place on the disk is bad. */
const UNREADABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EIO'])

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

/** Undefined where the text is none of a back-test of this hash, or of a format that is not known. */
function keptIn(text: string, hash: string): KeptBacktest | undefined {
  try {
    const kept = JSON.parse(text) as KeptBacktest
    if (contentHash(kept.evidence) !== hash || !Number.isFinite(kept.atUs)) return undefined
    // What cannot be summed up would end the list that it is in.
    return summaryOf(kept) && kept
  } catch {
    return undefined
  }
}

function summaryOf({ evidence, ...kept }: KeptBacktest): BacktestSummary {
  const { policy, draft, period, over, report } = evidence
  return {
    ...kept,
    policy,
    draft,
    period,
    over,
    events: report.events.n,
    changed: changedIn(report),
  }
}

/** Events that the draft answers otherwise. */
function changedIn({ moves, events }: BacktestEvidence['report']): number {
  return events.n - moves.allow.allow.n - moves.review.review.n - moves.decline.decline.n
}
