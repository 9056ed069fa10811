import type { LogStreamView, VisitorResult, VisitorRunCounts } from '../../../logs/index.ts'
import { formatDuration, formatTimestamp, parseTimestamp } from '../../../lib/time.ts'
import type { LogStream, VisitorWindow } from '../../contract/index.ts'
import { serverErrors } from '../errors.ts'
import type { Handlers } from '../handlers.ts'
import { plural } from '../present.ts'
import type { Rooms } from '../rooms.ts'

const WINDOWS = 120
const TEMPLATES = 100

export function logViews({
  logs,
}: Pick<Rooms, 'logs'>): Pick<
  Handlers,
  'logStreams' | 'visitors' | 'logTemplates' | 'sendLogLines'
> {
  return {
    logStreams: async () => ({ items: (await logs.list()).map(streamView) }),
    async visitors({ params: { stream }, query: { windows = WINDOWS, at } }) {
      const { declared } = await streamOf(stream)
      const found = await logs.visitors(stream, windows)
      const all = [...found.final, ...found.open]
      const atUs = at === undefined ? undefined : readTime(at)
      const shown =
        atUs === undefined
          ? (found.final.at(-1) ?? found.open.at(-1))
          : all.find(({ to }) => to === atUs)
      const { everyUs, windowUs = everyUs } = declared.visitors
      return {
        every: formatDuration(everyUs),
        window: formatDuration(windowUs),
        visitor: [...found.visitor],
        timeZone: declared.timeZone,
        windows: all.map(windowView),
        by: (shown?.by ?? []).map(({ field, top, other }) => ({ field, top: [...top], other })),
        at: shown === undefined ? null : formatTimestamp(shown.to),
      }
    },
    async logTemplates({ params: { stream }, query: { limit = TEMPLATES } }) {
      const { templates, size, news } = await logs.templates(stream, limit)
      return {
        total: size,
        items: templates.map(({ firstSeenUs, lastSeenUs, trend, ...rest }) => ({
          ...rest,
          firstSeen: time(firstSeenUs),
          lastSeen: time(lastSeenUs),
          trend: [...trend],
        })),
        news: news.map(({ timeUs, ...rest }) => ({ ...rest, at: time(timeUs) })),
      }
    },
    async sendLogLines({ params: { stream }, body: { lines } }) {
      await logs.send(stream, lines)
      const { length } = lines
      return { sentence: `${plural(length, 'line')} ${length === 1 ? 'is' : 'are'} taken.` }
    },
  }

  async function streamOf(name: string): Promise<LogStreamView> {
    const all = await logs.list()
    const found = all.find(({ declared }) => declared.name === name)
    if (found !== undefined) return found
    const names = all.map(({ declared }) => declared.name).join(', ') || 'none'
    throw serverErrors.not_found(`There is no log stream "${name}"; there are: ${names}.`)
  }
}

function readTime(text: string): number {
  const us = parseTimestamp(text)
  if (us === undefined) throw serverErrors.request_invalid(`at: "${text}" is not a time.`)
  return us
}

function time(us: number | null): string | null {
  return us === null ? null : formatTimestamp(us)
}

function windowView({ from, to, by: _, botHits: __, ...rest }: VisitorResult): VisitorWindow {
  return { from: formatTimestamp(from), to: formatTimestamp(to), ...rest }
}

const meanings: Readonly<Partial<Record<keyof VisitorRunCounts, string>>> = {
  unread: 'of no format that is known',
  timeless: 'without a time that can be read',
  nameless: 'that do not say who came',
  late: 'later than the declared lateness; counted nowhere else',
  ahead: 'far ahead of all before; counted in their own time',
  unplaced: 'for more slots than are held',
  cut: 'longer than lines may be; the rest of each was left out',
  replaced: 'with bytes that are no text',
  binary: 'with control characters',
  broken: 'begun where the archive is damaged, left out',
  changes: 'at which the format of the log changed',
}

function streamView({ declared, problem, ...watch }: LogStreamView): LogStream {
  const { name, title, description, from } = declared
  const { counts, format = null, latestUs = null, notices = [], templates = 0 } = watch
  const odd = Object.entries(meanings).flatMap(([kind, meaning]) => {
    const lines = counts?.[kind as keyof VisitorRunCounts] ?? 0
    return lines === 0 ? [] : [{ kind, lines, meaning }]
  })
  const state = problem === null ? (watch.state ?? 'ended') : 'failed'
  return {
    name,
    title,
    description,
    from:
      'file' in from
        ? `the file ${from.file}`
        : 'sent' in from
          ? 'lines that are sent'
          : 'an example that plays',
    state,
    verdict: verdictOf(problem, state, watch),
    format,
    latest: time(latestUs),
    lines: counts?.lines ?? 0,
    counted: counts?.counted ?? 0,
    odd,
    notices: notices.map(({ kind, detail }) => `${kind}: ${detail}`),
    templates,
  }
}

/** So many lines in a hundred that cannot be counted are worth a look. */
const ODD_SHARE = 0.05

function verdictOf(
  problem: LogStreamView['problem'],
  state: LogStream['state'],
  { counts, held = 0 }: Pick<LogStreamView, 'counts' | 'held'>,
): LogStream['verdict'] {
  if (problem !== null) return { status: 'alert', sentence: `${problem.title}. ${problem.detail}` }
  if (state === 'ended') return { status: 'warning', sentence: 'It is read no more.' }
  if (held > 0) {
    const wait = held === 1 ? 'waits for its' : 'wait for their'
    return {
      status: 'warning',
      sentence: `${plural(held, 'line')} ${wait} format to be recognised.`,
    }
  }
  if (counts === undefined || counts.lines === 0) {
    return { status: 'no-data', sentence: 'No line has come yet.' }
  }
  const { lines, unread, timeless, nameless, late, unplaced } = counts
  const lost = unread + timeless + nameless + late + unplaced
  if (lost > lines * ODD_SHARE) {
    const share = ((100 * lost) / lines).toFixed(0)
    return { status: 'warning', sentence: `${share} % of the lines cannot be counted.` }
  }
  return { status: 'ok', sentence: state === 'reading' ? 'It is being read.' : 'All is read.' }
}
