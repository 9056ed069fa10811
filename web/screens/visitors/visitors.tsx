/** Who visits: unique visitors of a log by window, with the band of each count, and by field. */
import { useState } from 'react'
import type {
  LogStream,
  Visitors,
  VisitorCount,
  VisitorWindow,
} from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { LineChart } from '../../parts/charts.tsx'
import { count, none, plural, shortDateTime, tick, timeOfDay } from '../../parts/figures.ts'
import { ChoiceFilter, SelectFilter } from '../../parts/filters.tsx'
import { Facts, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { TemplatesPanel } from './templates.tsx'

const EVERY_MS = 2_000
const WINDOWS = '120'

export default function VisitorsScreen() {
  const streams = useAsk('logStreams', {}, { every: EVERY_MS, keepPrevious: true })
  const { view } = useView()
  return (
    <Answered answer={streams}>
      {({ items }) => {
        const stream = items.find(({ name }) => name === view.stream) ?? items[0]
        return stream === undefined ? <NoStreams /> : <Stream stream={stream} all={items} />
      }}
    </Answered>
  )
}

function NoStreams() {
  return (
    <>
      <ScreenHead title="Visitors" />
      <Empty title="This project declares no log stream">
        Declare one with <code>logStream(…)</code>; the example <code>examples/site-visitors</code>{' '}
        shows how.
      </Empty>
    </>
  )
}

function Stream({
  stream,
  all,
}: {
  readonly stream: LogStream
  readonly all: readonly LogStream[]
}) {
  const { view } = useView()
  const params = { stream: stream.name }
  const answer = useAsk(
    'visitors',
    { params, query: { windows: Number(view.windows ?? WINDOWS) } },
    { every: EVERY_MS, keepPrevious: true, enabled: stream.state !== 'failed' },
  )
  return (
    <>
      <ScreenHead
        title={stream.title}
        above="Visitors"
        verdict={stream.verdict}
        note={stream.description}
        actions={
          all.length === 1 ? undefined : (
            <SelectFilter
              name="stream"
              title={all[0]?.title ?? ''}
              choices={all.slice(1).map(({ name, title }) => ({ value: name, title }))}
            />
          )
        }
      />
      <div className="stack">
        {stream.state === 'failed' ? null : (
          <Answered answer={answer}>{(visitors) => <Counts visitors={visitors} />}</Answered>
        )}
        <TemplatesPanel stream={stream.name} />
        <LogPanel stream={stream} />
      </div>
    </>
  )
}

function Counts({ visitors }: { readonly visitors: Visitors }) {
  const { windows, by } = visitors
  const last = windows.findLast(({ isFinal }) => isFinal) ?? windows.at(-1)
  if (last === undefined) {
    return (
      <Empty title="No visitor is counted yet">They are, once lines of a known format come.</Empty>
    )
  }
  return (
    <>
      <Now visitors={visitors} last={last} />
      <Course visitors={visitors} />
      <div className="visitors-fields">
        {by.map((each) => (
          <Breakdown key={each.field} breakdown={each} whole={last.visitors.value} />
        ))}
      </div>
    </>
  )
}

function Now({ visitors, last }: { readonly visitors: Visitors; readonly last: VisitorWindow }) {
  const zone = useTimeZone()
  return (
    <Panel
      title={`Unique visitors within ${visitors.window}`}
      aside={`until ${timeOfDay(last.to, zone)} ${zone}${last.isFinal ? '' : ', not final'}`}
    >
      <p className="big-figure">{inBand(last.visitors)}</p>
      <div className="visitors-facts">
        <Facts
          facts={[
            { name: 'Requests', value: count(last.hits) },
            { name: `New today, last ${visitors.every}`, value: inBand(last.firstSeen) },
            { name: `Today in ${visitors.timeZone}`, value: inBand(last.today) },
            { name: 'Programs by name', value: inBand(last.bots) },
            { name: 'Programs by behaviour', value: inBand(last.suspects) },
            { name: 'Told apart by', value: visitors.visitor.join(' and ') || none },
          ]}
        />
      </div>
    </Panel>
  )
}

function Course({ visitors: { windows, window, every } }: { readonly visitors: Visitors }) {
  const zone = useTimeZone()
  const isExact = windows.every(({ visitors }) => visitors.low === visitors.high)
  const [showsBots, setShowsBots] = useState(false)
  return (
    <Panel
      title="Course"
      aside={
        <>
          <button type="button" className="chart-switch" onClick={() => setShowsBots(!showsBots)}>
            {showsBots ? 'Without programs' : 'With programs'}
          </button>{' '}
          <ChoiceFilter
            name="windows"
            title="How far back"
            choices={[
              { value: '30', title: '30' },
              { value: undefined, title: WINDOWS },
              { value: '480', title: '480' },
              { value: '1440', title: '1,440' },
            ]}
          />
        </>
      }
    >
      <LineChart
        title={`Visitors within ${window}, every ${every}`}
        note={
          isExact
            ? 'All counts are exact. The last windows may still grow: lines may be late.'
            : 'Dashed: the band in which the true count lies with a probability of 95 %. The last windows may still grow: lines may be late.'
        }
        x={windows.map(({ to }) => Date.parse(to) / 1000)}
        time={zone}
        height={220}
        xTitle={`End of the window, ${zone}`}
        yTitle="Visitors"
        writeX={(seconds) => shortDateTime(new Date(seconds * 1000).toISOString(), zone)}
        writeY={(value) => count(value)}
        writeTick={tick}
        series={[
          { title: 'Visitors', values: windows.map(({ visitors }) => visitors.value) },
          ...(showsBots
            ? [
                {
                  title: 'Programs',
                  values: windows.map(({ bots, suspects }) => bots.value + suspects.value),
                },
              ]
            : []),
          ...(isExact
            ? []
            : [
                {
                  title: 'At least',
                  values: windows.map(({ visitors }) => visitors.low),
                  dashed: true,
                },
                {
                  title: 'At most',
                  values: windows.map(({ visitors }) => visitors.high),
                  dashed: true,
                },
              ]),
        ]}
      />
    </Panel>
  )
}

function Breakdown({
  breakdown: { field, top, other },
  whole,
}: {
  readonly breakdown: Visitors['by'][number]
  readonly whole: number
}) {
  return (
    <Panel title={`By ${field}`}>
      <SmallTable
        label={`Visitors by ${field}`}
        pinned
        head={[
          { title: field },
          { title: 'Visitors', right: true },
          { title: 'of all', right: true },
          { title: 'Requests', right: true },
        ]}
        rows={[
          ...top.map(({ key, visitors, hits }) => ({
            key,
            cells: [
              <code key="key">{key}</code>,
              inBand(visitors),
              whole === 0 ? none : `${Math.round((100 * visitors.value) / whole)} %`,
              inBand(hits),
            ],
          })),
          ...(other.keys.value === 0
            ? []
            : [
                {
                  key: '\u0000other',
                  cells: [
                    <span key="other" className="visitors-others quiet">
                      {plural(other.keys.value, 'other')}
                    </span>,
                    '',
                    '',
                    inBand(other.hits),
                  ],
                },
              ]),
        ]}
      />
    </Panel>
  )
}

function LogPanel({ stream }: { readonly stream: LogStream }) {
  const zone = useTimeZone()
  return (
    <Panel title="The log" aside={stream.state}>
      <div className="visitors-facts">
        <Facts
          facts={[
            { name: 'Lines come from', value: stream.from },
            { name: 'Format', value: stream.format ?? 'not recognised yet' },
            {
              name: 'Read up to',
              value: stream.latest === null ? none : shortDateTime(stream.latest, zone),
            },
            { name: 'Lines since the server started', value: count(stream.lines) },
            { name: 'of them requests', value: count(stream.counted) },
          ]}
        />
      </div>
      {stream.lines === 0 ? null : stream.odd.length === 0 ? (
        <p className="quiet">Every line could be read.</p>
      ) : (
        <SmallTable
          label="Lines with which something was wrong"
          head={[{ title: 'Lines', right: true }, { title: '' }]}
          rows={stream.odd.map(({ kind, lines, meaning }) => ({
            key: kind,
            cells: [count(lines), meaning],
          }))}
        />
      )}
      {[...new Set(stream.notices)].map((notice) => (
        <p key={notice} className="quiet">
          {notice}
        </p>
      ))}
    </Panel>
  )
}

/** The count, and its band where it is estimated. */
function inBand({ value, low, high }: VisitorCount): string {
  return low === high ? count(value) : `${count(value)} (${count(low)} to ${count(high)})`
}
