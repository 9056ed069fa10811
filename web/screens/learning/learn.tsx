/** Learn from a file: drop it, say what is to be told from what, and find again what was learnt. */
import { useNavigate } from '@tanstack/react-router'
import { useQueryClient } from '@tanstack/react-query'
import type { LearningFile, LearningSummary } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { dateTime, duration, none } from '../../parts/figures.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { DropZone } from './drop-zone.tsx'
import { Question } from './question.tsx'

export default function LearnScreen() {
  const { view } = useView()
  return (
    <>
      <ScreenHead
        above={<PageLink to="/experiments">Experiments</PageLink>}
        title="Learn from a file"
        note="Drop a table, say which column is to be told, and get an honest comparison: several estimators on rows that they have not seen, with intervals, and a model that is kept as a run."
      />
      {view.file === undefined ? <Start /> : <Asked fileId={view.file} />}
    </>
  )
}

function Start() {
  const navigate = useNavigate()
  const queries = useQueryClient()
  const taken = (file: LearningFile) => {
    queries.setQueryData(['learningFile', { fileId: file.id }, null], file)
    void navigate({ to: '/experiments/learn', search: { file: file.id } } as never)
  }
  return (
    <div className="stack">
      <Panel>
        <DropZone onTaken={taken} />
      </Panel>
      <Earlier />
    </div>
  )
}

function Asked({ fileId }: { readonly fileId: string }) {
  const answer = useAsk('learningFile', { params: { fileId } }, { staleTime: Infinity })
  return <Answered answer={answer}>{(file) => <Question key={file.id} file={file} />}</Answered>
}

function Earlier() {
  const answer = useAsk('learnings', {}, { every: 3_000 })
  return (
    <Panel title="Learnt before" flush>
      <Answered answer={answer} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing was learnt yet" command="npx assay learn FILE --target COLUMN">
              Drop a file above, or use the command.
            </Empty>
          ) : (
            <EarlierTable items={items} />
          )
        }
      </Answered>
    </Panel>
  )
}

function EarlierTable({ items }: { readonly items: readonly LearningSummary[] }) {
  const zone = useTimeZone()
  return (
    <SmallTable
      label="Learnt before"
      head={[
        { title: 'What' },
        { title: 'State' },
        { title: 'What it came to' },
        { title: 'By' },
        { title: `Started, ${zone}` },
        { title: 'Took', right: true },
      ]}
      rows={items.map((one) => ({
        key: one.id,
        cells: [
          <PageLink key="what" to={`/experiments/learn/${one.id}`}>
            {one.title}
          </PageLink>,
          <span key="state" className={`status-mark is-${one.state}`}>
            {one.state}
          </span>,
          <span key="figure" className="learn-figure">
            {one.figure ?? none}
          </span>,
          one.by.name,
          dateTime(one.startedAt, zone),
          duration(one.durationMs === null ? null : one.durationMs * 1000),
        ],
      }))}
    />
  )
}
