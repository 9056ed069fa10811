/** How fast decisions fill the disk: one figure, its parts, and the server's sentence. */
import type { Storage } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { bytes, count, none } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'

export function DiskPanel() {
  const answer = useAsk('storage', {}, { every: 60_000, keepPrevious: true })
  return <Answered answer={answer}>{(storage) => <Disk storage={storage} />}</Answered>
}

function Disk({ storage }: { readonly storage: Storage }) {
  const { bytesPerDecision, decisions, daysUntilFull, parts, freeBytes, totalBytes } = storage
  return (
    <Panel title="Disk" aside={`${bytes(freeBytes)} of ${bytes(totalBytes)} free`}>
      {daysUntilFull === null ? (
        <p className="quiet">Days until it is full: not known yet.</p>
      ) : (
        <p className="big-figure">{count(Math.floor(daysUntilFull))} days until full</p>
      )}
      <p className="quiet">
        {bytesPerDecision === null
          ? 'Bytes for each decision are told once 100 decisions were measured.'
          : `${bytes(Math.round(bytesPerDecision))} for each decision, n ${count(decisions)}`}
      </p>
      <p>
        <VerdictLine verdict={storage.verdict} />
      </p>
      <SmallTable
        label="What fills the disk"
        head={[
          { title: 'Part' },
          { title: 'Now', right: true },
          { title: 'Grows in a day', right: true },
        ]}
        rows={parts.map((part) => ({
          key: part.part,
          cells: [
            part.title,
            bytes(part.bytes),
            part.bytesPerDay === null ? none : `+ ${bytes(Math.round(part.bytesPerDay))}`,
          ],
        }))}
      />
    </Panel>
  )
}
